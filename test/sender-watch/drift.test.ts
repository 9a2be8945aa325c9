import t from 'tap'
import type { AcceptedWebhook } from '../../src/delivery/observation.js'
import { createDrift, type Drift } from '../../src/sender-watch/drift.js'
import { catalogue, findEvent } from '../../src/voucherify/catalogue.js'
import { readEnvelope } from '../../src/voucherify/identify.js'
import { judge } from '../../src/voucherify/judge.js'
import { isJsonObject } from '../../src/voucherify/parse-body.js'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'

const LEFT = 'customer.loyalty.tier.left'
const now = new Date('2026-01-31T00:00:00Z')

/** The report that the ingress would make. */
function webhook (body: unknown, type: string, outcome: 'accepted' | 'duplicate' = 'accepted'): AcceptedWebhook {
  if (!isJsonObject(body)) throw new TypeError('it is no object')
  const event = findEvent(type)
  const judged = judge(body, readEnvelope(body), event === undefined ? { kind: 'any' } : { kind: 'event', event })
  return { outcome, body, ...judged } as AcceptedWebhook
}

/** The same report for a signed webhook of one of the sender's sources. */
function signed (sourceId: string | null, body: unknown, type: string): AcceptedWebhook {
  return { ...webhook(body, type), sourceId, secretNumber: 1 }
}

/** An event of an unknown type. */
function madeUp (name: string): unknown {
  return { data: {}, event: { type: name } }
}

/** A parsed sample with other values at these pointers. `undefined` removes a key. */
function changed (changes: Readonly<Record<string, unknown>>): unknown {
  const envelope: unknown = JSON.parse(JSON.stringify(sampleEnvelope(LEFT, { index: 1, now })))
  for (const [pointer, value] of Object.entries(changes)) {
    const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/'))
    const parent = parts.slice(0, -1).reduce<unknown>((object, part) => Reflect.get(Object(object), part), envelope)
    if (value === undefined) Reflect.deleteProperty(Object(parent), parts.at(-1) ?? '')
    else Reflect.set(Object(parent), parts.at(-1) ?? '', value)
  }
  return envelope
}

function told (drift: Drift) {
  return drift.report().differences.map(({ kind, pointer, expected, seen }) => [kind, pointer, expected, seen])
}

t.test('samples with and without their envelopes have no drift', async (t) => {
  const drift = createDrift({ now: () => 1 })
  for (const { type } of catalogue) {
    for (let index = 0; index < 20; index++) {
      const envelope = JSON.parse(JSON.stringify(sampleEnvelope(type, { index, now })))
      drift.accepted(webhook(envelope, type))
      drift.accepted(webhook(envelope.data, type))
    }
  }
  t.strictSame(drift.report(), { differences: [], dropped: 0 })
  t.strictSame([...drift.totals()], [])
})

t.test('unknown keys are reported with the kind of their value, and keys below them are not', async (t) => {
  const drift = createDrift({ now: () => 5 })
  drift.accepted(webhook(changed({
    '/shard': 3,
    '/data/customer/loyalty': { points: 5, secret: 'a person\'s' },
    '/data/customer/metadata': { anything: { goes: true } },
    '/data/loyalty_tier/a~1b': null,
    '/data/loyalty_tier/earning_rules': { ern_1: { type: 'CUSTOM', points: 1, note: [] }, ern_2: { type: 'CUSTOM', points: 1, note: [] } }
  }), LEFT))
  t.strictSame(told(drift).sort(), [
    ['unknown key', '/data/customer/loyalty', 'no such key', 'object'],
    ['unknown key', '/data/loyalty_tier/a~1b', 'no such key', 'null'],
    ['unknown key', '/data/loyalty_tier/earning_rules/*/note', 'no such key', 'array'],
    ['unknown key', '/shard', 'no such key', 'number']
  ])
  t.match(drift.report().differences.find(({ pointer }) => pointer.endsWith('note')), { count: 2, firstAt: 5, lastAt: 5, eventType: LEFT })
  t.notMatch(JSON.stringify(drift.report()), 'person')
})

t.test('faults are reported by their place, with array indices and ids as *, and never with the value', async (t) => {
  let time = 1
  const drift = createDrift({ now: () => time })
  const body = changed({
    '/data/customer/email': 42,
    '/data/loyalty_tier/name': undefined,
    '/data/loyalty_tier/rewards': { rew_abc: { type: 'CUSTOM', points: 'Ada' } },
    '/data/created_at': 'Ada'
  })
  drift.accepted(webhook(body, LEFT))
  time = 9
  drift.accepted(webhook(body, LEFT))
  const report = drift.report()
  t.strictSame(told(drift).map(([kind, pointer, , seen]) => [kind, pointer, seen]).sort(), [
    ['fault', '/data/created_at', 'string'],
    ['fault', '/data/customer/email', 'number'],
    ['fault', '/data/loyalty_tier/rewards/*/points', 'string'],
    ['missing key', '/data/loyalty_tier/name', 'absent']
  ])
  t.ok(report.differences.every(({ count, firstAt, lastAt }) => count === 2 && firstAt === 1 && lastAt === 9))
  t.notMatch(JSON.stringify(report), 'Ada')
  t.strictSame([...drift.totals()], [{ eventType: LEFT, kind: 'missing key', count: 2 }, { eventType: LEFT, kind: 'fault', count: 6 }])
})

t.test('unknown event types are reported by name and counted under one label; custom events are not counted as drift', async (t) => {
  const drift = createDrift({ now: () => 1 })
  for (const type of ['voucher.created', 'voucher.created', 'redemption.succeeded']) drift.accepted(webhook({ ...Object(sampleEnvelope(LEFT, { index: 1, now })), event: { type, id: 'ev_1' } }, type))
  drift.accepted({ outcome: 'accepted', eventType: 'custom.shop', verdict: 'unvalidated', faults: [], body: {} } as unknown as AcceptedWebhook)
  drift.accepted({ outcome: 'accepted', eventType: LEFT, verdict: 'unvalidated', faults: [], body: { data: { mine: 1 }, event: { type: LEFT } } } as unknown as AcceptedWebhook)
  t.strictSame(drift.report().differences.map(({ eventType, kind, count }) => [eventType, kind, count]), [['voucher.created', 'unknown event type', 2], ['redemption.succeeded', 'unknown event type', 1]])
  t.strictSame([...drift.totals()], [{ eventType: 'other', kind: 'unknown event type', count: 3 }])
})

t.test('a raw payload that contradicts the direction of its URL is reported; an envelope, which names its type itself, is not', async (t) => {
  const UPGRADED = 'customer.loyalty.tier.upgraded'
  const DOWNGRADED = 'customer.loyalty.tier.downgraded'
  const between = (from: unknown, to: unknown): object => ({ ...sampleEvent(UPGRADED, { index: 1, now }), loyalty_tier_from: from, loyalty_tier_to: to })
  const tier = (id: string, from: unknown, to?: unknown): object => ({ id, name: id, metadata: {}, campaign_id: 'camp_1', created_at: now.toISOString(), config: { points: { from, to } }, ...to === 'in the tier' ? { points: { from } } : {} })
  const up = ['an upgrade: points that go up', 'points that go down']
  const down = ['a downgrade: points that go down', 'points that go up']
  for (const [name, type, body, expected] of [
    ['down at upgrades', UPGRADED, between(tier('a', 200), tier('b', 100)), up],
    ['up at downgrades', DOWNGRADED, between(tier('a', 100), tier('b', 200)), down],
    ['with a range of its own', UPGRADED, between(tier('a', 200, 'in the tier'), tier('b', 100, 'in the tier')), up],
    ['told by the end alone', UPGRADED, between(tier('a', undefined, 99), tier('b', undefined, 50)), up],
    ['the right way up', UPGRADED, between(tier('a', 100), tier('b', 200)), undefined],
    ['the right way down', DOWNGRADED, between(tier('a', 200), tier('b', 100)), undefined],
    ['the same points', DOWNGRADED, between(tier('a', 100), tier('b', 100)), undefined],
    ['no tier to come from', DOWNGRADED, between(null, tier('b', 100)), undefined],
    ['points that are text', UPGRADED, between(tier('a', '200'), tier('b', '100')), undefined]
  ] as const) {
    const bare = createDrift({ now: Date.now })
    bare.accepted(webhook(body, type))
    t.strictSame(told(bare).filter(([kind]) => kind === 'wrong direction'), expected === undefined ? [] : [['wrong direction', '/loyalty_tier_to', ...expected]], name)
    const enveloped = createDrift({ now: Date.now })
    const envelope = { ...Object(sampleEnvelope(type, { index: 1, now })), data: body }
    enveloped.accepted(webhook(envelope, type))
    t.notMatch(JSON.stringify(told(enveloped)), 'wrong direction', name)
  }
  t.equal(webhook(between(tier('a', 200), tier('b', 100)), UPGRADED).verdict, 'valid')
})

t.test('a duplicate is not counted again', async (t) => {
  const drift = createDrift({ now: Date.now })
  drift.accepted(webhook(changed({ '/data/x': 1 }), LEFT, 'duplicate'))
  t.strictSame(drift.report().differences, [])
})

t.test('the table is bounded, whatever arrives: ids in place of names become *, the rest is counted', async (t) => {
  const drift = createDrift({ now: Date.now, limit: 50 })
  for (let index = 0; index < 1000; index++) drift.accepted(webhook(changed({ [`/data/customer/cust_${index}`]: 1 }), LEFT))
  const ids = drift.report().differences
  t.equal(ids.length, 21)
  t.match(ids.find(({ pointer }) => pointer === '/data/customer/*'), { count: 980 })
  for (let index = 0; index < 1000; index++) drift.accepted(webhook({ data: {}, event: { type: `made.up.${index}` } }, `made.up.${index}`))
  const report = drift.report()
  t.equal(report.differences.length, 50)
  t.equal(report.dropped, 1000 - 29)
})

t.test('counts are kept for the next run', async (t) => {
  const first = createDrift({ now: () => 1 })
  first.accepted(webhook(changed({ '/data/x': 1 }), LEFT))
  const second = createDrift({ now: () => 7 })
  second.restore(first.report())
  second.accepted(webhook(changed({ '/data/x': 1 }), LEFT))
  t.match(second.report(), { differences: [{ pointer: '/data/x', count: 2, firstAt: 1, lastAt: 7 }], dropped: 0 })
  t.strictSame([...second.totals()], [{ eventType: LEFT, kind: 'unknown key', count: 1 }], 'the counter of a new process starts from zero')
})

t.test('a source that floods new forms displaces no other source\'s drift, and no other event\'s of its own, also after a restart', async (t) => {
  let drift = createDrift({ now: Date.now, limit: 50 })
  for (const name of ['a', 'b', 'c']) drift.accepted(signed('wh_genuine', changed({ [`/data/${name}`]: 1 }), LEFT))
  let floods = 0
  const flood = (): void => {
    for (let index = 0; index < 500; index++) drift.accepted(signed('wh_flood', madeUp(`made.up.${++floods}`), `made.up.${floods}`))
  }
  const pointers = (): readonly string[] => drift.report().differences.filter(({ eventType }) => eventType === LEFT).map(({ pointer }) => pointer).sort()
  flood()
  t.strictSame(pointers(), ['/data/a', '/data/b', '/data/c'], 'differences seen before the flood stay')
  drift.accepted(signed('wh_genuine', changed({ '/data/d': 1 }), LEFT))
  drift.accepted(signed('wh_flood', changed({ '/data/e': 1 }), LEFT))
  t.strictSame(pointers(), ['/data/a', '/data/b', '/data/c', '/data/d', '/data/e'], 'differences seen after the flood are added')
  flood()
  const again = createDrift({ now: Date.now, limit: 50 })
  again.restore(drift.report())
  drift = again
  flood()
  for (let index = 0; index < 15; index++) drift.accepted(signed(`distr_${index}`, madeUp(`genuine.${index}`), `genuine.${index}`))
  t.strictSame(pointers(), ['/data/a', '/data/b', '/data/c', '/data/d', '/data/e'])
  const { differences, dropped } = drift.report()
  t.equal(differences.filter(({ eventType }) => eventType.startsWith('genuine.')).length, 15)
  t.equal(differences.length, 50)
  t.equal(dropped + differences.reduce((sum, { count }) => sum + count, 0), floods + 20, 'displaced differences count as dropped')
})

t.test('if every source has one difference, none loses it to another', async (t) => {
  const drift = createDrift({ now: Date.now, limit: 20 })
  for (let index = 0; index < 60; index++) drift.accepted(signed(`wh_${index}`, madeUp(`type.${index}`), `type.${index}`))
  t.strictSame(drift.report().differences.map(({ eventType }) => eventType).sort(), Array.from({ length: 20 }, (_each, index) => `type.${index}`).sort())
  t.equal(drift.report().dropped, 40)
})

t.test('frequent differences stay when their source has to make room', async (t) => {
  let time = 0
  const drift = createDrift({ now: () => ++time, limit: 10 })
  for (let index = 0; index < 3; index++) drift.accepted(signed('wh_flood', madeUp('often'), 'often'))
  for (let index = 0; index < 30; index++) drift.accepted(signed('wh_flood', madeUp(`once.${index}`), `once.${index}`))
  for (let index = 0; index < 4; index++) drift.accepted(signed('wh_other', madeUp(`other.${index}`), `other.${index}`))
  const told = drift.report().differences.map(({ eventType }) => eventType)
  t.ok(told.includes('often'))
  t.equal(told.filter((type) => type.startsWith('other.')).length, 4)
  drift.accepted(signed('wh_flood', madeUp('once.0'), 'once.0'))
  t.notOk(drift.report().differences.some(({ eventType, count }) => eventType === 'once.0' && count > 1), 'a displaced difference is not counted under its old entry')
})

t.test('unsigned bodies are one source, whatever they say', async (t) => {
  const drift = createDrift({ now: Date.now, limit: 20 })
  for (let index = 0; index < 100; index++) drift.accepted({ ...signed(`wh_${index}`, madeUp(`made.up.${index}`), `made.up.${index}`), secretNumber: undefined })
  for (let index = 0; index < 8; index++) drift.accepted(signed('wh_genuine', changed({ [`/data/x${index}`]: 1 }), LEFT))
  t.equal(drift.report().differences.filter(({ eventType }) => eventType === LEFT).length, 8)
})

t.test('a source that fills an object with new keys does not take the names of another\'s', async (t) => {
  const drift = createDrift({ now: Date.now })
  for (let index = 0; index < 200; index++) drift.accepted(signed('wh_flood', changed({ [`/data/customer/key_${index}`]: 1 }), LEFT))
  drift.accepted(signed('wh_genuine', changed({ '/data/customer/loyalty': {} }), LEFT))
  const pointers = drift.report().differences.map(({ pointer }) => pointer)
  t.ok(pointers.includes('/data/customer/loyalty'))
  t.equal(pointers.length, 22)
  for (let index = 0; index < 500; index++) drift.accepted(signed(`wh_${index}`, changed({ [`/data/customer/of_${index}`]: 1 }), LEFT))
  t.ok(drift.report().differences.length < 150, 'the total over all sources is bounded too')
})

t.test('after a reset drift is reported again, and the counters of the metrics continue', async (t) => {
  let time = 1
  const drift = createDrift({ now: () => time, limit: 10 })
  const body = changed({ '/data/x': 1 })
  drift.accepted(signed('wh_1', body, LEFT))
  for (let index = 0; index < 100; index++) drift.accepted(signed('wh_1', changed({ [`/data/customer/key_${index}`]: 1 }), LEFT))
  t.equal(drift.reset(), 10)
  t.strictSame(drift.report(), { differences: [], dropped: 0 })
  time = 5
  drift.accepted(signed('wh_1', body, LEFT))
  drift.accepted(signed('wh_1', changed({ '/data/customer/loyalty': {} }), LEFT))
  t.match(drift.report(), { differences: [{ pointer: '/data/x', count: 1, firstAt: 5, lastAt: 5 }, { pointer: '/data/customer/loyalty', count: 1 }], dropped: 0 })
  t.strictSame([...drift.totals()], [{ eventType: LEFT, kind: 'unknown key', count: 103 }])
})
