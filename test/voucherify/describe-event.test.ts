import t from 'tap'
import { describeEvent, eventBody } from '../../src/voucherify/describe-event.js'

const customer = { id: 'cust_0', name: 'Zoë', email: 'zoe@shop.example' }

t.test('an event is described by its time and tiers, and by no personal data', async t => {
  const data = {
    customer,
    loyalty_tier: { id: 'ltr_1', name: 'Leaf', points: { from: 0, to: 99 } },
    loyalty_tier_to: { id: 'ltr_2', name: customer, config: { points: { from: 100, to: null } } },
    created_at: 'data'
  }
  const described = { occurredAt: 'data', tierId: 'ltr_1', tierName: 'Leaf', tierPointsFrom: 0, tierPointsTo: 99, tierToId: 'ltr_2', tierToPointsFrom: 100 }
  t.strictSame(describeEvent(data), described)
  t.strictSame(describeEvent({ data, event: {} }), described)
  t.strictSame(describeEvent({ data, event: { created_at: 'event' } }), { ...described, occurredAt: 'event' })
})

t.test('a value that is not an event has no description', async t => {
  for (const body of [undefined, null, 'text', [1], {}, { data: [customer], event: customer }]) t.strictSame(describeEvent(body), {})
})

t.test('the event\'s own body is the content of the envelope, if there is one', async t => {
  t.strictSame(eventBody({ data: { customer }, event: {} }), { customer })
  t.strictSame(eventBody({ customer }), { customer })
  t.strictSame(eventBody({ event: {} }), { event: {} })
  t.strictSame(eventBody([1]), [1])
})
