import t from 'tap'
import * as events from '../../src/voucherify/index.js'

t.test('the package\'s entry exports what a receiver needs, and no samples or addresses', t => {
  for (const name of [
    'catalogue', 'tierEvents', 'findEvent', 'findEventByName', 'EVENT_KEYS', 'EnvelopeSchema', 'envelopeOf', 'compileValidator', 'sign', 'verifySignature',
    'CustomerSchema', 'CampaignSchema', 'VoucherSchema', 'DiscountSchema', 'GiftSchema', 'LoyaltyCardSchema', 'ReferralProgramSchema',
    'CategorySchema', 'LoyaltyTierSchema', 'CustomerTierJoinedSchema', 'CampaignTierUpdatedSchema', 'LoyaltyCardTransactionSchema'
  ]) t.ok(name in events, name)
  t.notOk('sampleEvent' in events)
  t.notOk('default' in events)
  t.end()
})

t.test('each type matches its schema', t => {
  const body: events.EventBody<'customer.loyalty.tier.left'> = { customer: null, loyalty_tier: { id: 'ltr_1', object: 'a kind that is new' }, created_at: '2026-01-01T00:00:00Z' }
  const envelope: events.EventEnvelope<'customer.loyalty.tier.left'> = { data: body, event: { type: 'customer.loyalty.tier.left' } }
  t.strictSame(events.compileValidator(events.findEvent(envelope.event.type)?.envelopeSchema ?? events.EnvelopeSchema)(envelope), [])
  t.end()
})
