import t from 'tap'
import type { AcceptedWebhook } from '../../src/delivery/observation.js'
import { createDrift, type Drift } from '../../src/operations/drift.js'
import { catalogue, findEvent } from '../../src/voucherify/catalogue.js'
import { readEnvelope } from '../../src/voucherify/identify.js'
import { judge } from '../../src/voucherify/judge.js'
import { isJsonObject } from '../../src/voucherify/parse-body.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { compileValidator } from '../../src/voucherify/validate.js'

const LEFT = 'customer.loyalty.tier.left'
const now = new Date('2026-01-31T00:00:00Z')

/** As ingress would tell of it. */
function webhook (body: unknown, type: string, outcome: 'accepted' | 'duplicate' = 'accepted'): AcceptedWebhook {
  if (!isJsonObject(body)) throw new TypeError('it is no object')
  const event = findEvent(type)
  const judged = judge(body, readEnvelope(body), event === undefined ? { kind: 'any' } : { kind: 'event', event }, (schema, value) => compileValidator(schema)(value))
  return { outcome, body, ...judged } as AcceptedWebhook
}

/** A parsed sample with other values at these pointers; `undefined` takes a key out. */
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

t.test('samples, in and out of their envelopes, differ in nothing', async (t) => {
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

t.test('unknown keys are told with the kind of their value, and what is below them is not', async (t) => {
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

t.test('faults are told by their place, with array indices and ids as *, and never with the value', async (t) => {
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

t.test('types that nobody knows are told by name and counted under one label; one\'s own design is nobody\'s business', async (t) => {
  const drift = createDrift({ now: () => 1 })
  for (const type of ['voucher.created', 'voucher.created', 'redemption.succeeded']) drift.accepted(webhook({ ...Object(sampleEnvelope(LEFT, { index: 1, now })), event: { type, id: 'ev_1' } }, type))
  drift.accepted({ outcome: 'accepted', eventType: 'custom.shop', verdict: 'unvalidated', faults: [], body: {} } as unknown as AcceptedWebhook)
  drift.accepted({ outcome: 'accepted', eventType: LEFT, verdict: 'unvalidated', faults: [], body: { data: { mine: 1 }, event: { type: LEFT } } } as unknown as AcceptedWebhook)
  t.strictSame(drift.report().differences.map(({ eventType, kind, count }) => [eventType, kind, count]), [['voucher.created', 'unknown event type', 2], ['redemption.succeeded', 'unknown event type', 1]])
  t.strictSame([...drift.totals()], [{ eventType: 'other', kind: 'unknown event type', count: 3 }])
})

t.test('a copy of an event is not counted again', async (t) => {
  const drift = createDrift({ now: Date.now })
  drift.accepted(webhook(changed({ '/data/x': 1 }), LEFT, 'duplicate'))
  t.strictSame(drift.report().differences, [])
})

t.test('the table is bounded, whatever comes: ids in place of names become *, the rest is counted', async (t) => {
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

t.test('what was counted is taken over by the next run', async (t) => {
  const first = createDrift({ now: () => 1 })
  first.accepted(webhook(changed({ '/data/x': 1 }), LEFT))
  const second = createDrift({ now: () => 7 })
  second.restore(first.report())
  second.accepted(webhook(changed({ '/data/x': 1 }), LEFT))
  t.match(second.report(), { differences: [{ pointer: '/data/x', count: 2, firstAt: 1, lastAt: 7 }], dropped: 0 })
  t.strictSame([...second.totals()], [{ eventType: LEFT, kind: 'unknown key', count: 1 }], 'a counter begins at the start')
})
