import t from 'tap'
import { LoyaltyCardSchema } from '../../../src/voucherify/objects/loyalty-card.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { loyaltyCard } from '../support/full-objects.js'

const validate = compileValidator(LoyaltyCardSchema)

t.test('every key of a full loyalty card must have its type, and a fault has its pointer', t => {
  expectSchema(t, LoyaltyCardSchema, loyaltyCard)
  t.end()
})

t.test('an impossible month or day is reported with the limit', t => {
  const rules = (fixedMonth: number, fixedDay: number) =>
    validate({ points: 0, expiration_rules: { period_type: 'FIXED_DAY_OF_YEAR', fixed_month: fixedMonth, fixed_day: fixedDay } })
  t.strictSame(rules(1, 1), [])
  t.strictSame(rules(12, 31), [])
  t.strictSame(rules(0, 32), [
    { pointer: '/expiration_rules/fixed_month', message: 'must be >= 1' },
    { pointer: '/expiration_rules/fixed_day', message: 'must be <= 31' }
  ])
  t.strictSame(rules(13, 0), [
    { pointer: '/expiration_rules/fixed_month', message: 'must be <= 12' },
    { pointer: '/expiration_rules/fixed_day', message: 'must be >= 1' }
  ])
  t.end()
})
