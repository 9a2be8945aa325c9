import t from 'tap'
import { CategorySchema } from '../../../src/voucherify/objects/category.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { category } from '../support/full-objects.js'

const validate = compileValidator(CategorySchema)

t.test('every key of a full category must have its type, and a fault has its pointer', t => {
  expectSchema(t, CategorySchema, category)
  t.end()
})

t.test('a category without any key, or of a new kind, is valid', t => {
  t.strictSame(validate({}), [])
  t.strictSame(validate({ ...category, stacking_rules_type: 'JOINT_EXCLUSIVE', object: 'folder' }), [])
  t.end()
})
