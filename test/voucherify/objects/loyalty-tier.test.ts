import t from 'tap'
import { LoyaltyTierSchema } from '../../../src/voucherify/objects/loyalty-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { tier } from '../support/full-objects.js'

const validate = compileValidator(LoyaltyTierSchema)

t.test('every key of a full tier is held to its type, and told at its own pointer', t => {
  expectSchema(t, LoyaltyTierSchema, tier)
  t.end()
})

t.test('the top tier has no end', t => {
  t.strictSame(validate({ ...tier, points: { from: 9 }, config: { points: { from: 9, to: null } } }), [])
  t.end()
})
