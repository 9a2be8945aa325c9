import t from 'tap'
import { describeDelivery } from '../../src/forwarders/describe-delivery.js'
import { sampleDelivery } from '../support/sample-delivery.js'

function describe (body: unknown, options = { withData: false }) {
  const rawBody = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return describeDelivery(sampleDelivery({ id: 'delivery-1', receivedAt: Date.UTC(2026, 0, 31), duplicates: 2, rawBody }), options)
}

const known = {
  deliveryId: 'delivery-1',
  eventType: 'customer.loyalty.tier.upgraded',
  verdict: 'valid',
  receivedAt: '2026-01-31T00:00:00.000Z',
  eventId: 'ev_0',
  sourceId: 'distr_1',
  projectId: 'proj_1',
  customerId: 'cust_0',
  campaignId: 'camp_1',
  duplicates: 2
}

const leaf = { id: 'ltr_1', name: 'Leaf', points: { from: 0, to: 99 }, metadata: { colour: 'jade' } }
const top = { id: 'ltr_2', name: 'Top', config: { points: { from: 100 } } }
const customer = { id: 'cust_0', name: 'Zoë', email: 'zoe@shop.example', metadata: { vip: true } }

t.test('an enveloped event is described by tiers, points and times, flat, and by no personal data but the customer\'s id', async t => {
  const body = { data: { customer, loyalty_tier_from: leaf, loyalty_tier_to: top, created_at: 'data' }, event: { created_at: 'event' }, created_at: 'envelope' }
  t.strictSame(describe(body), {
    ...known,
    occurredAt: 'event',
    tierFromId: 'ltr_1',
    tierFromName: 'Leaf',
    tierFromPointsFrom: 0,
    tierFromPointsTo: 99,
    tierToId: 'ltr_2',
    tierToName: 'Top',
    tierToPointsFrom: 100
  })
})

t.test('a bare event is described in the same way', async t => {
  t.strictSame(describe({ customer, loyalty_tier: leaf, created_at: 'then' }), {
    ...known, occurredAt: 'then', tierId: 'ltr_1', tierName: 'Leaf', tierPointsFrom: 0, tierPointsTo: 99
  })
})

t.test('the time of the event comes from the best value that it has', async t => {
  t.equal(describe({ data: { created_at: 'data' }, event: {}, created_at: 'envelope' })['occurredAt'], 'data')
  t.equal(describe({ data: [], event: null, created_at: 'envelope' })['occurredAt'], 'envelope')
})

t.test('an id or a name that is not a plain value is left out', async t => {
  const tier = { id: customer, name: [customer], points: { from: customer, to: true } }
  t.strictSame(describe({ data: { loyalty_tier: tier, created_at: customer }, event: { created_at: null } }), known)
})

t.test('bytes that are not an event are described by the delivery alone', async t => {
  for (const body of ['', 'text', '[1]', '"a"']) t.strictSame(describe(body), known)
  t.strictSame(describe('text', { withData: true }), known)
  t.strictSame(describe('[1]', { withData: true }), { ...known, data: [1] })
})

t.test('the whole event is included on request', async t => {
  t.strictSame(describe({ data: { customer }, event: {} }, { withData: true })['data'], { customer })
  t.strictSame(describe({ customer }, { withData: true })['data'], { customer })
  t.strictSame(describe({ event: { type: 'x' } }, { withData: true })['data'], { event: { type: 'x' } }, 'an envelope without data is included whole')
})

t.test('an event with more levels than readers of the log accept is replaced by a sentence', async t => {
  const nested = (levels: number): string => `{"data":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)},"event":{}}`
  t.type(describe(nested(250), { withData: true })['data'], Array)
  t.equal(describe(nested(251), { withData: true })['data'], 'nested more than 250 levels deep, so not shown here')
  t.strictSame(describe(nested(251)), known)
})
