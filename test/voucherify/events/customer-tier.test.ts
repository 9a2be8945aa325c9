import t from 'tap'
import * as events from '../../../src/voucherify/events/customer-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { campaign, customer, tier } from '../support/full-objects.js'

const at = '2026-01-01T00:00:00Z'
const oneTier = { customer, campaign, loyalty_tier: tier, created_at: at }
const twoTiers = { customer, campaign, loyalty_tier_from: tier, loyalty_tier_to: tier, created_at: at }

t.test('every key of a full body must have its type, and a fault has its pointer', t => {
  expectSchema(t, events.CustomerTierJoinedSchema, oneTier)
  expectSchema(t, events.CustomerTierUpgradedSchema, twoTiers)
  t.end()
})

for (const schema of [events.CustomerTierJoinedSchema, events.CustomerTierLeftSchema, events.CustomerTierProlongedSchema]) {
  t.test(`${schema.title}: a body needs only its tier`, t => {
    const validate = compileValidator(schema)
    t.strictSame(validate({ loyalty_tier: { id: 'ltr_1' } }), [])
    t.strictSame(validate({ loyalty_tier: { id: 'ltr_1' }, customer: null, campaign: null, created_at: null }), [])
    t.strictSame(validate({ customer, campaign, created_at: at }), [{ pointer: '/loyalty_tier', message: 'is required' }])
    t.strictSame(validate({ ...oneTier, loyalty_tier: null }), [{ pointer: '/loyalty_tier', message: 'must be an object' }])
    t.strictSame(validate({ ...oneTier, loyalty_tier: [tier] }), [{ pointer: '/loyalty_tier', message: 'must be an object' }])
    t.strictSame(validate({ ...oneTier, loyalty_tier: {} }), [{ pointer: '/loyalty_tier/id', message: 'is required' }])
    t.strictSame(validate({ ...oneTier, customer: { name: 'Zoë' } }), [{ pointer: '/customer/id', message: 'is required' }])
    t.end()
  })
}

for (const schema of [events.CustomerTierUpgradedSchema, events.CustomerTierDowngradedSchema]) {
  t.test(`${schema.title}: a body needs only one of its two tiers`, t => {
    const validate = compileValidator(schema)
    for (const key of ['loyalty_tier_from', 'loyalty_tier_to']) {
      t.strictSame(validate({ [key]: { id: 'ltr_1' } }), [])
      t.strictSame(validate({ loyalty_tier_from: null, loyalty_tier_to: null, [key]: { id: 'ltr_1' }, customer: null, campaign: null, created_at: null }), [])
      t.strictSame(validate({ [key]: 'ltr_1' }), [{ pointer: `/${key}`, message: 'must be an object' }])
    }
    const none = [{ pointer: '', message: 'must have a loyalty_tier_from or a loyalty_tier_to' }]
    for (const body of [{}, { customer, campaign, created_at: at }, { ...twoTiers, loyalty_tier_from: null, loyalty_tier_to: null }, { loyalty_tier: tier }]) t.strictSame(validate(body), none)
    t.end()
  })
}
