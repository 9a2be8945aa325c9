import t from 'tap'
import * as events from '../../../src/voucherify/events/customer-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { campaign, customer, tier } from '../support/full-objects.js'

const at = '2026-01-01T00:00:00Z'
const oneTier = { customer, campaign, loyalty_tier: tier, created_at: at }
const twoTiers = { customer, campaign, loyalty_tier_from: tier, loyalty_tier_to: tier, created_at: at }

t.test('every key of a full body is held to its type, and told at its own pointer', t => {
  expectSchema(t, events.CustomerTierJoinedSchema, oneTier)
  expectSchema(t, events.CustomerTierUpgradedSchema, twoTiers)
  t.end()
})

t.test('every listed key is required, all but the time may be null', t => {
  for (const [schema, body] of [
    [events.CustomerTierJoinedSchema, oneTier],
    [events.CustomerTierLeftSchema, oneTier],
    [events.CustomerTierProlongedSchema, oneTier],
    [events.CustomerTierUpgradedSchema, twoTiers],
    [events.CustomerTierDowngradedSchema, twoTiers]
  ] as const) {
    const validate = compileValidator(schema)
    const keys = Object.keys(body)
    t.strictSame(validate({}), keys.map(key => ({ pointer: `/${key}`, message: 'is required' })), `${schema.title}`)
    t.strictSame(validate(Object.fromEntries(keys.map(key => [key, key === 'created_at' ? at : null]))), [])
    t.strictSame(validate({ ...body, created_at: null }), [{ pointer: '/created_at', message: 'must be a string' }])
  }
  t.end()
})
