import t from 'tap'
import type { Delivery } from '../../src/delivery/delivery.js'
import { createFilter, type Condition } from '../../src/forwarders/delivery-filter.js'
import { sampleDelivery } from '../support/sample-delivery.js'

const body = {
  customer: { id: 'cust_1', name: null },
  campaign: { id: 'camp_1', 'a/b': { 'c~d': 7 } },
  loyalty_tier_to: { points: { from: 500 }, rewards: [{ type: 'CUSTOM' }] }
}

const bare = sampleDelivery({ rawBody: Buffer.from(JSON.stringify(body)) })
const enveloped = sampleDelivery({ rawBody: Buffer.from(JSON.stringify({ event: { type: 'x' }, data: body })) })

t.test('without options every delivery passes', async (t) => {
  t.equal(createFilter({})(sampleDelivery({ verdict: 'unvalidated' })), true)
})

t.test('event types match as a whole, and a star stands for any characters', async (t) => {
  const wanted = (pattern: string, eventType: string): boolean => createFilter({ events: [pattern] })(sampleDelivery({ eventType }))
  t.ok(wanted('customer.loyalty.tier.left', 'customer.loyalty.tier.left'))
  t.ok(wanted('customer.loyalty.tier.*', 'customer.loyalty.tier.left'))
  t.ok(wanted('*.updated', 'campaign.loyalty_tier.updated'))
  t.notOk(wanted('customer.loyalty.tier', 'customer.loyalty.tier.left'))
  t.notOk(wanted('customer.loyalty.tier.left', 'customerXloyaltyXtierXleft'), 'a dot in a pattern matches only a dot')
  t.notOk(wanted('(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'))
  t.ok(createFilter({ events: ['a', 'customer.*'] })(bare), 'one matching pattern is enough')
})

t.test('a pattern with several stars is compared quickly with a long type that does not match', async (t) => {
  const texts = ['', ...'ab', 'aa', 'ab', 'ba', 'aab', 'aba', 'abab', 'abba', 'aabb', 'babab']
  const patterns = ['*', '**', 'a*', '*a', 'a*a', '*a*', 'a*b', 'ab*ba', '*ab*', 'a*b*a', '*b*b', 'ab*ab', '*ab*ab*', 'a**b', 'aba*ba']
  for (const pattern of patterns) {
    const wants = createFilter({ events: [pattern] })
    const matched = texts.filter((eventType) => wants(sampleDelivery({ eventType })))
    t.strictSame(matched, texts.filter((text) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text)), pattern)
  }
  t.notOk(createFilter({ events: [`${'*.'.repeat(12)}!`] })(sampleDelivery({ eventType: '.'.repeat(256) })))
})

t.test('verdicts are compared', async (t) => {
  const wanted = createFilter({ verdicts: ['valid'] })
  t.ok(wanted(sampleDelivery({ verdict: 'valid' })))
  t.notOk(wanted(sampleDelivery({ verdict: 'unvalidated' })))
})

const cases: ReadonlyArray<readonly [Condition, boolean]> = [
  [{ pointer: '/campaign/id', equals: 'camp_1' }, true],
  [{ pointer: '/campaign/id', equals: 'camp_2' }, false],
  [{ pointer: '/customer/name', equals: null }, true],
  [{ pointer: '/customer/nobody', equals: null }, false],
  [{ pointer: '/campaign/id', in: ['camp_0', 'camp_1'] }, true],
  [{ pointer: '/campaign/id', in: ['camp_0'] }, false],
  [{ pointer: '/customer/name', exists: false }, true],
  [{ pointer: '/customer/id', exists: true }, true],
  [{ pointer: '/customer/id', exists: false }, false],
  [{ pointer: '/loyalty_tier_to/points/from', gte: 500 }, true],
  [{ pointer: '/loyalty_tier_to/points/from', gte: 501 }, false],
  [{ pointer: '/loyalty_tier_to/points/from', lte: 500, gte: 100 }, true],
  [{ pointer: '/loyalty_tier_to/points/from', lte: 499 }, false],
  [{ pointer: '/customer/id', gte: 0 }, false],
  [{ pointer: '/campaign/a~1b/c~0d', equals: 7 }, true],
  [{ pointer: '/loyalty_tier_to/rewards/0/type', equals: 'CUSTOM' }, true],
  [{ pointer: '/campaign/id/length', exists: true }, false],
  [{ pointer: '/__proto__/constructor', exists: true }, false],
  [{ pointer: '', exists: true }, true]
]

for (const [condition, expected] of cases) {
  t.test(`${JSON.stringify(condition)} ${expected ? 'holds' : 'does not hold'}, in an envelope and without one`, async (t) => {
    const wanted = createFilter({ where: [condition] })
    t.equal(wanted(bare), expected)
    t.equal(wanted(enveloped), expected)
  })
}

t.test('all conditions must hold', async (t) => {
  const wanted = createFilter({ where: [{ pointer: '/campaign/id', equals: 'camp_1' }, { pointer: '/customer/id', equals: 'cust_2' }] })
  t.notOk(wanted(bare))
})

t.test('a body that is not JSON has no values', async (t) => {
  const delivery: Delivery = sampleDelivery({ rawBody: Buffer.from('{') })
  t.notOk(createFilter({ where: [{ pointer: '/a', exists: true }] })(delivery))
  t.ok(createFilter({ where: [{ pointer: '/a', exists: false }] })(delivery))
})
