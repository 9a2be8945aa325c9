import t from 'tap'
import { DiscountSchema } from '../../../src/voucherify/objects/discount.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { discounts } from '../support/full-objects.js'

const validate = compileValidator(DiscountSchema)

for (const [name, discount] of Object.entries(discounts)) {
  t.test(`every key of a full ${name} discount is held to its type, and told at its own pointer`, t => {
    expectSchema(t, DiscountSchema, discount)
    t.end()
  })
}

t.test('a discount of an unknown type has one fault, at its type, whatever else it has', t => {
  t.strictSame(validate({ type: 'AMOUNTS', amount_off: 'x', percent_off: 'y', units: 1 }), [
    { pointer: '/type', message: 'must be one of AMOUNT, PERCENT, FIXED, UNIT' }
  ])
  t.strictSame(validate({ amount_off: 'x' }), [{ pointer: '/type', message: 'is required' }])
  t.strictSame(validate('AMOUNT'), [{ pointer: '', message: 'must be an object' }])
  t.strictSame(validate([]), [{ pointer: '', message: 'must be an object' }])
  t.end()
})

t.test('units: null beside an amount, as documented bodies show it, is accepted', t => {
  t.strictSame(validate({ type: 'AMOUNT', amount_off: 1, units: null }), [])
  t.end()
})
