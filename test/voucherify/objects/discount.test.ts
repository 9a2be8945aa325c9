import t from 'tap'
import { DiscountSchema } from '../../../src/voucherify/objects/discount.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { discounts } from '../support/full-objects.js'

const validate = compileValidator(DiscountSchema)

for (const [name, discount] of Object.entries(discounts)) {
  t.test(`every key of a full ${name} discount must have its type, and a fault has its pointer`, t => {
    expectSchema(t, DiscountSchema, discount)
    t.end()
  })
}

t.test('a discount of a new type is valid, and keys that it shares with other types must have their type', t => {
  t.strictSame(validate({ type: 'POINTS', points_off: 'many' }), [])
  t.strictSame(validate({ amount_off: 5 }), [])
  t.strictSame(validate({ type: 'POINTS', amount_off: 'x', units: 1 }), [
    { pointer: '/amount_off', message: 'must be a number' },
    { pointer: '/units', message: 'must be an array' }
  ])
  t.strictSame(validate({ type: 1 }), [{ pointer: '/type', message: 'must be a string' }])
  t.strictSame(validate('AMOUNT'), [{ pointer: '', message: 'must be an object' }])
  t.strictSame(validate([]), [{ pointer: '', message: 'must be an object' }])
  t.end()
})

t.test('a discount without the amount of its type is valid', t => {
  for (const type of ['AMOUNT', 'PERCENT', 'FIXED', 'UNIT']) t.strictSame(validate({ type }), [], type)
  t.end()
})

t.test('every effect of a unit discount is known, and a new one is valid', t => {
  for (const effect of ['ADD_MISSING_ITEMS', 'ADD_NEW_ITEMS', 'ADD_MANY_ITEMS', 'ADD_SAME_ITEMS', 'ADD_NO_ITEMS']) {
    t.strictSame(validate({ ...discounts.unit, effect }), [])
    t.strictSame(validate({ type: 'UNIT', units: [{ effect, unit_type: 'u' }] }), [])
  }
  t.end()
})

t.test('several products are reported one by one', t => {
  t.strictSame(validate({ type: 'UNIT', units: [{}, { unit_type: 5, product: { id: 'p' } }, 'three'] }), [
    { pointer: '/units/1/unit_type', message: 'must be a string' },
    { pointer: '/units/2', message: 'must be an object' }
  ])
  t.end()
})

t.test('units: null beside an amount, as documented bodies show it, is accepted', t => {
  t.strictSame(validate({ type: 'AMOUNT', amount_off: 1, units: null }), [])
  t.end()
})
