import t from 'tap'
import { LoyaltyTierSchema } from '../../../src/voucherify/objects/loyalty-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { tier } from '../support/full-objects.js'

const validate = compileValidator(LoyaltyTierSchema)

t.test('every key of a full tier must have its type, and a fault has its pointer', t => {
  expectSchema(t, LoyaltyTierSchema, tier)
  t.end()
})

t.test('a tier needs only its id', t => {
  t.strictSame(validate({ id: 'ltr_1' }), [])
  t.strictSame(validate({ ...tier, id: undefined }), [{ pointer: '/id', message: 'must be a string' }])
  t.strictSame(validate({ name: 'Leaf' }), [{ pointer: '/id', message: 'is required' }])
  t.end()
})

t.test('an expiration has a date or a date-time, and a date that does not exist is refused', t => {
  const expiration = (start: unknown) => validate({ ...tier, expiration: { start_date: start, expiration_date: start } })
  for (const text of ['2024-07-24', '2023-02-28', '2024-07-24T00:00:00.000Z', null]) t.strictSame(expiration(text), [], String(text))
  for (const wrong of ['2023-02-29', '2024-13-01', '24 July', '2024-07-24T00:00:00', '', 20240724, ['2024-07-24']]) {
    t.strictSame(expiration(wrong), ['start_date', 'expiration_date'].map(key => ({
      pointer: `/expiration/${key}`, message: 'must be an ISO 8601 date or date-time'
    })), String(wrong))
  }
  t.end()
})

t.test('the top tier may have null as its upper limit', t => {
  t.strictSame(validate({ ...tier, points: { from: 9 }, config: { points: { from: 9, to: null } } }), [])
  t.end()
})
