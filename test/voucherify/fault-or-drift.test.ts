import t from 'tap'
import { createDriftFinder, type Difference } from '../../src/voucherify/drift.js'
import { findEvent, tierEvents } from '../../src/voucherify/catalogue.js'
import { readEnvelope } from '../../src/voucherify/identify.js'
import { createJudge, judge, type Judgement } from '../../src/voucherify/judge.js'
import { isJsonObject } from '../../src/voucherify/parse-body.js'
import { documented, documentedBody } from './support/fixtures.js'
import { campaign, customer, discounts, envelope, tier, voucher } from './support/full-objects.js'
import { replaceAt } from './support/walk-schema.js'

const at = '2026-01-01T00:00:00Z'
const LEFT = 'customer.loyalty.tier.left'
const UPGRADED = 'customer.loyalty.tier.upgraded'
const UPDATED = 'campaign.loyalty_tier.updated'

/** A body of each event with every documented key. */
const bodies: Readonly<Record<string, object>> = Object.fromEntries(tierEvents.map(({ type }) => {
  if (type.startsWith('campaign.')) return [type, { campaign, loyalty_tier: tier }]
  const twoTiers = type.endsWith('graded')
  return [type, { customer, campaign, ...twoTiers ? { loyalty_tier_from: tier, loyalty_tier_to: tier } : { loyalty_tier: tier }, created_at: at }]
}))

interface Told extends Judgement {
  readonly drift: ReadonlyArray<Pick<Difference, 'kind' | 'pointer' | 'expected' | 'seen'>>
}

const { find } = createDriftFinder()

function tell (type: string, body: unknown): Told {
  const event = findEvent(type)
  if (event === undefined || !isJsonObject(body)) throw new TypeError(`${type} with ${JSON.stringify(body)}`)
  const judgement = judge(body, readEnvelope(body), { kind: 'event', event })
  const drift: Array<Told['drift'][number]> = []
  find({ ...judgement, body }, 'wh_1', ({ kind, pointer, expected, seen }) => { drift.push({ kind, pointer, expected, seen }) })
  return { ...judgement, drift }
}

function around (type: string, data: unknown) {
  return { ...envelope, event: { ...envelope.event, type }, data }
}

function pathOf (pointer: string): string[] {
  return pointer.split('/').slice(1)
}

/** An event with and without its envelope, and the beginning of its pointers. */
function bothWays (type: string, body: unknown) {
  return [['', tell(type, body)], ['/data', tell(type, around(type, body))]] as const
}

/** Keys of a campaign and a tier that the documents mark as required and documented bodies lack. */
const requiredInCampaign = [
  '/voucher/type', '/voucher/redemption', '/voucher/redemption/quantity', '/voucher/redemption/redeemed_quantity', '/voucher/code_config',
  '/voucher/code_config/length', '/voucher/code_config/prefix', '/voucher/code_config/postfix', '/voucher/code_config/charset',
  '/voucher/code_config/pattern', '/voucher/gift/amount', '/voucher/gift/balance', '/voucher/loyalty_card/points',
  '/voucher/loyalty_card/expiration_rules/period_type', '/voucher/discount/type', '/voucher/discount/amount_off',
  '/categories/0/id', '/categories/0/name', '/categories/0/hierarchy', '/categories/0/created_at', '/categories/0/object'
]
const requiredInTier = [
  '/campaign_id', '/name', '/metadata', '/created_at', '/config', '/config/points', '/points', '/earning_rules', '/rewards', '/object',
  '/expiration/customer_id', '/expiration/campaign_id', '/expiration/tier_id', '/expiration/created_at'
]
const mayBeNull = ['/voucher/redemption/quantity', '/metadata']

for (const type of Object.keys(bodies)) {
  const body = bodies[type]
  const tiers = ['/loyalty_tier', '/loyalty_tier_from', '/loyalty_tier_to'].filter(key => Object.hasOwn(Object(body), key.slice(1)))

  t.test(`${type}: a full body is valid and has no drift`, async t => {
    for (const [, told] of bothWays(type, body)) t.strictSame([told.verdict, told.faults, told.drift], ['valid', [], []])
  })

  t.test(`${type}: a required key that is absent, or null, is drift and no fault`, async t => {
    const places = [
      ...requiredInCampaign.map(pointer => ({ parent: '/campaign', pointer })),
      ...tiers.flatMap(parent => requiredInTier.map(pointer => ({ parent, pointer })))
    ]
    for (const { parent, pointer } of places) {
      for (const [value, seen] of [[undefined, 'absent'], [null, 'null']] as const) {
        for (const [before, told] of bothWays(type, replaceAt(body, pathOf(`${parent}${pointer}`), value))) {
          const name = `${before}${parent}${pointer} ${seen}`
          t.strictSame([told.verdict, told.faults], ['valid', []], name)
          const expected = value === null && mayBeNull.includes(pointer)
            ? []
            : [{ kind: 'missing key', pointer: `${before}${parent}${pointer}`.replace('/0/', '/*/'), seen }]
          t.strictSame(told.drift.map(({ kind, pointer, seen }) => ({ kind, pointer, seen })), expected, name)
        }
      }
    }
  })

  t.test(`${type}: an undocumented value is drift and no fault, and a value of another type is a fault`, async t => {
    const places = [
      '/campaign/type', '/campaign/object', '/campaign/voucher/type', '/campaign/voucher/discount/effect',
      '/campaign/voucher/gift/effect', '/campaign/voucher/loyalty_card/expiration_rules/period_type',
      '/campaign/voucher/loyalty_card/expiration_rules/rounding_type', '/campaign/categories/0/stacking_rules_type', '/campaign/categories/0/object',
      '/campaign/referral_program/conversion_event_type', '/campaign/referral_program/referee_reward/type',
      ...tiers.flatMap(tier => [`${tier}/object`, `${tier}/earning_rules/ern_1/type`, `${tier}/rewards/rewa_2/type`])
    ]
    for (const place of places) {
      for (const [before, told] of bothWays(type, replaceAt(body, pathOf(place), 'A_NEW_VALUE'))) {
        t.strictSame([told.verdict, told.faults], ['valid', []], `${before}${place}`)
        const pointer = `${before}${place}`.replace(/\/(?:0|ern_1|rewa_2)\//, '/*/')
        t.match(told.drift, [{ kind: 'unknown value', pointer, seen: 'string' }], place)
        t.equal(told.drift.length, 1, place)
        t.notMatch(JSON.stringify(told.drift), 'A_NEW_VALUE', 'drift does not show the value')
      }
      for (const [before, told] of bothWays(type, replaceAt(body, pathOf(place), ['A_NEW_VALUE']))) {
        t.strictSame([told.verdict, told.faults], ['invalid', [{ pointer: `${before}${place}`, message: 'must be a string' }]], `${before}${place}`)
      }
    }
  })

  t.test(`${type}: a value that makes the event impossible to understand is a fault, reported at its place`, async t => {
    const faults: Array<readonly [pointer: string, value: unknown]> = [
      ['/campaign', 'camp_1'], ['/campaign', [campaign]], ['/campaign/name', 5], ['/campaign/categories', {}], ['/campaign/metadata', []],
      ['/campaign/created_at', 'yesterday'], ['/campaign/start_date', '2024-13-01'], ['/campaign/voucher', []], ['/campaign/voucher/loyalty_card/expiration_rules/fixed_month', 13],
      ['/campaign/voucher/loyalty_card/expiration_rules/fixed_day', 0], ['/campaign/voucher/discount/amount_off', '5'],
      ...tiers.flatMap(tier => [
        [tier, 'ltr_1'], [tier, [{}]], [`${tier}/id`, undefined], [`${tier}/id`, null], [`${tier}/id`, 5], [`${tier}/points/from`, '0'],
        [`${tier}/earning_rules`, []], [`${tier}/expiration/start_date`, '2023-02-29'], [`${tier}/expiration/expiration_date`, 20230228]
      ] as const),
      ...type.startsWith('customer.') ? [['/customer', []], ['/customer/id', undefined], ['/customer/id', null], ['/created_at', 5]] as const : []
    ]
    for (const [place, value] of faults) {
      for (const [before, told] of bothWays(type, replaceAt(body, pathOf(place), value))) {
        t.match(told, { verdict: 'invalid', faults: [{ pointer: `${before}${place}` }] }, `${before}${place} ${JSON.stringify(value)}`)
        t.equal(told.faults.length, 1)
      }
    }
    const without = tiers.reduce<unknown>((rest, key) => replaceAt(rest, pathOf(key), type.startsWith('customer.') ? null : undefined), body)
    const nothing = type.startsWith('customer.') ? without : {}
    for (const [, told] of bothWays(type, { ...Object(nothing), created_at: at })) t.equal(told.verdict, 'invalid', 'an event without a tier and a campaign is invalid')
  })
}

t.test('documented bodies have no drift', async t => {
  for (const type of documented) {
    for (const [, told] of bothWays(type, documentedBody(type))) t.strictSame([told.verdict, told.drift], ['valid', []], type)
  }
})

t.test('expirations with plain dates have no drift', async t => {
  for (const [start, end] of [['2024-07-24', '2025-07-24'], ['2023-02-28', '2023-02-28T00:00:00.000Z']]) {
    const expiring = { ...tier, expiration: { ...tier.expiration, start_date: start, expiration_date: end } }
    for (const { type } of tierEvents) {
      const body = Object.fromEntries(Object.entries(bodies[type] ?? {}).map(([key, value]) => [key, key.startsWith('loyalty_tier') ? expiring : value]))
      for (const [, told] of bothWays(type, body)) t.strictSame([told.verdict, told.drift], ['valid', []], type)
    }
  }
})

t.test('keys that Voucherify\'s API description does not require are no drift', async t => {
  for (const [type, body] of [
    [LEFT, { loyalty_tier: tier, created_at: at }], [LEFT, { customer: null, campaign: null, loyalty_tier: tier, created_at: at }],
    [UPGRADED, { loyalty_tier_to: tier, created_at: at }], ['customer.loyalty.tier.downgraded', { loyalty_tier_from: tier, created_at: at }],
    [UPDATED, { loyalty_tier: tier }], [UPDATED, { campaign }],
    [UPDATED, { loyalty_tier: { ...tier, earning_rules: { ern_1: {}, ern_2: { type: 'MULTIPLY' }, ern_3: { points: 5 } } } }],
    [UPDATED, { campaign: { creation_status: 'DONE', protected: true, loyalty_tiers_expiration: {}, voucher: { ...voucher, code_config: { ...voucher.code_config, min_desired: 3 } } } }]
  ] as const) {
    for (const [, told] of bothWays(type, body)) t.strictSame([told.verdict, told.drift], ['valid', []], JSON.stringify(body))
  }
  for (const [before, told] of bothWays(UPGRADED, { loyalty_tier_from: tier, created_at: at })) {
    t.strictSame([told.verdict, told.drift], ['valid', [{ kind: 'missing key', pointer: `${before}/loyalty_tier_to`, expected: 'a documented key', seen: 'absent' }]])
  }
})

t.test('the amount of a discount is missing only for its own type', async t => {
  const sums = { AMOUNT: 'amount_off', PERCENT: 'percent_off', FIXED: 'fixed_amount' }
  for (const type of ['AMOUNT', 'PERCENT', 'FIXED', 'UNIT', 'A_NEW_TYPE']) {
    const told = tell(UPDATED, { campaign: { ...campaign, voucher: { ...voucher, discount: { type } } } })
    const sum = Object.entries(sums).find(([each]) => each === type)?.[1]
    t.equal(told.verdict, 'valid')
    t.strictSame(told.drift.filter(({ kind }) => kind === 'missing key'), sum === undefined ? [] : [{ kind: 'missing key', pointer: `/campaign/voucher/discount/${sum}`, expected: `a documented key of type ${type}`, seen: 'absent' }])
  }
  for (const discount of Object.values(discounts)) {
    t.strictSame(tell(UPDATED, { campaign: { ...campaign, voucher: { ...voucher, discount } } }).drift, [])
  }
})

t.test('the effect ADD_SAME_ITEMS is known, and a new channel is drift', async t => {
  const units = { ...discounts.units, effect: 'ADD_SAME_ITEMS', units: [{ effect: 'ADD_SAME_ITEMS', unit_type: 'u' }] }
  for (const discount of [{ ...discounts.unit, effect: 'ADD_SAME_ITEMS' }, units]) {
    for (const [, told] of bothWays(UPDATED, { campaign: { ...campaign, voucher: { ...voucher, discount } } })) t.strictSame([told.verdict, told.drift], ['valid', []])
  }
  const told = tell(LEFT, replaceAt(around(LEFT, bodies[LEFT]), ['event', 'event_source', 'channel'], 'WORKFLOW'))
  t.strictSame([told.verdict, told.drift], ['valid', [{
    kind: 'unknown value', pointer: '/event/event_source/channel', expected: 'one of USER_PORTAL, API, CLIENT_API, INTERNAL', seen: 'string'
  }]])
})

t.test('the keys that some documents lack may all be absent at once', async t => {
  const bare = {
    campaign: { id: 'camp_1', voucher: { type: 'GIFT_VOUCHER', gift: { amount: 100 }, redemption: {}, code_config: {} } },
    loyalty_tier: { id: 'ltr_1' }
  }
  for (const { type } of tierEvents) {
    const { loyalty_tier: only, ...rest } = bare
    const body = type.endsWith('graded') ? { ...rest, loyalty_tier_from: only, loyalty_tier_to: only } : bare
    for (const [, told] of bothWays(type, body)) t.strictSame([told.verdict, told.faults], ['valid', []], type)
  }
})

t.test('an event without a type is invalid, and a body that is judged again from the store has the same faults', async t => {
  const judgeAgain = createJudge()
  const typeless = { ...around(LEFT, bodies[LEFT]), event: { id: 'ev_1' } }
  t.match(tell(LEFT, typeless), { verdict: 'invalid', faults: [{ pointer: '/event/type', message: 'is required' }] })
  const stored = (body: unknown) => judgeAgain({ eventType: LEFT, rawBody: Buffer.from(JSON.stringify(body)) })
  t.equal(stored({ loyalty_tier: { id: 'ltr_1', object: 'new' } }).verdict, 'valid')
  t.strictSame(stored({ loyalty_tier: {} }), { verdict: 'invalid', faults: [{ pointer: '/loyalty_tier/id', message: 'is required' }] })
})

t.test('events that are also known have no unknown keys', async t => {
  const type = 'voucher.loyalty_card.transaction.created'
  for (const [, told] of bothWays(type, { holder_loyalty_tier: { id: 'ltr_1', any: 1 }, voucher: {}, what: 'ever' })) t.strictSame([told.verdict, told.drift], ['valid', []])
  for (const [before, told] of bothWays(type, { holder_loyalty_tier: [] })) t.strictSame(told.faults, [{ pointer: `${before}/holder_loyalty_tier`, message: 'must be an object' }])
  t.strictSame(tell(type, { ...around(type, {}), shard: 1 }).drift.map(({ pointer }) => pointer), ['/shard'], 'unknown keys of the envelope are still drift')
})
