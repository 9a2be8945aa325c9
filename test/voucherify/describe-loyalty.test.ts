import t from 'tap'
import { describeLoyalty } from '../../src/voucherify/describe-loyalty.js'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'

const SAMPLE = { index: 1, seed: 'loyalty', now: new Date('2026-01-31T08:00:00Z') }

function describe (body: unknown, eventType: string) {
  return describeLoyalty(Buffer.from(JSON.stringify(body)), eventType)
}

t.test('a tier move is described with an envelope and without one', async (t) => {
  const type = 'customer.loyalty.tier.upgraded'
  const event = sampleEvent(type, SAMPLE)
  const told = describe(event, type)
  t.match(told, { from: { name: String, pointsFrom: Number, rewards: Array }, to: { id: /^ltr_/, name: String }, campaignName: String, customerName: event.customer?.name ?? null })
  t.match(describe(sampleEnvelope(type, SAMPLE), type), { from: told?.from, to: told?.to })
})

t.test('a customer who joined came from no tier, one who left is in no tier, and one who was kept did not move', async (t) => {
  const tier = { id: 'ltr_1', name: 'Leaf', config: { points: { from: 0, to: 99 } }, rewards: { rewa_1: { type: 'MULTIPLY', multiplier: 1.5 }, rewa_2: { points: 20 }, rewa_3: null } }
  const told = {
    id: 'ltr_1',
    name: 'Leaf',
    pointsFrom: 0,
    pointsTo: 99,
    rewards: [{ id: 'rewa_1', multiplier: 1.5, points: null }, { id: 'rewa_2', multiplier: null, points: 20 }, { id: 'rewa_3', multiplier: null, points: null }]
  }
  const nothing = { campaignName: null, customerName: null, occurredAt: null }
  t.strictSame(describe({ loyalty_tier: tier }, 'customer.loyalty.tier.joined'), { from: null, to: told, ...nothing })
  t.strictSame(describe({ loyalty_tier: tier }, 'customer.loyalty.tier.left'), { from: told, to: null, ...nothing })
  t.strictSame(describe({ loyalty_tier: tier }, 'customer.loyalty.tier.prolonged'), { from: told, to: told, ...nothing })
})

t.test('values of the wrong type are left out, and a body without a tier has no move', async (t) => {
  const type = 'customer.loyalty.tier.upgraded'
  t.match(describe({ customer: { name: 7 }, campaign: [], loyalty_tier_to: { name: 'x'.repeat(1000), points: { from: '1' }, rewards: 3 } }, type), {
    from: null, to: { id: null, name: 'x'.repeat(200), pointsFrom: null, rewards: { length: 0 } }, campaignName: null, customerName: null
  })
  for (const body of [[], 3, null, {}, { loyalty_tier_to: 'Leaf' }]) t.equal(describe(body, type), undefined)
  t.equal(describeLoyalty(Buffer.from('{'), type), undefined)
})
