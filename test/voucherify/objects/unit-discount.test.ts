import t from 'tap'
import { DiscountSchema } from '../../../src/voucherify/objects/discount.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { discounts } from '../support/full-objects.js'

const validate = compileValidator(DiscountSchema)

t.test('one product is told by its own form, with units absent or null', t => {
  const { units, ...absent } = discounts.unit
  for (const unit of [absent, discounts.unit]) {
    t.strictSame(validate(unit), [])
    const { unit_type: _, ...untyped } = unit
    t.strictSame(validate({ ...untyped, effect: 'ADD_MANY_ITEMS', product: { id: 'p' } }), [
      { pointer: '/unit_type', message: 'is required' },
      { pointer: '/product/name', message: 'is required' }
    ])
  }
  t.end()
})

t.test('several products are told by their units, whatever else is wrong', t => {
  t.strictSame(validate({ type: 'UNIT', effect: 'ADD_NEW_ITEMS', units: [{ unit_type: 'u' }], unit_off: 1, product: null, sku: null }), [
    { pointer: '/effect', message: 'must be ADD_MANY_ITEMS' },
    { pointer: '/units/0/effect', message: 'is required' }
  ])
  t.strictSame(validate({ type: 'UNIT', units: 'two' }), [{ pointer: '/units', message: 'must be an array' }])
  t.end()
})

t.test('units that hold no units in a discount of one product are told', t => {
  t.strictSame(validate({ ...discounts.unit, units: 'two' }), [{ pointer: '/units', message: 'must be null' }])
  t.end()
})
