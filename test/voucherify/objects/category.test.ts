import t from 'tap'
import { CategorySchema } from '../../../src/voucherify/objects/category.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { category } from '../support/full-objects.js'

const validate = compileValidator(CategorySchema)

t.test('every key of a full category is held to its type, and told at its own pointer', t => {
  expectSchema(t, CategorySchema, category)
  t.end()
})

t.test('a category without any key, and one of a kind that is new, are categories', t => {
  t.strictSame(validate({}), [])
  t.strictSame(validate({ ...category, stacking_rules_type: 'JOINT_EXCLUSIVE', object: 'folder' }), [])
  t.end()
})
