import t from 'tap'
import { createLateness, readTimes } from '../../src/ingress/lateness.js'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { buildService, signed } from '../support/build-service.js'
import { captureLog } from '../support/capture-log.js'

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
const START = Date.parse('2026-02-03T04:05:06Z')

/** A clock that is ahead by this time, and events with correct times. */
function setting ({ aheadMs = 0 }: { readonly aheadMs?: number } = {}) {
  const log = captureLog()
  let right = START
  let ahead = aheadMs
  const lateness = createLateness({ windowMs: 15 * DAY_MS, clock: { now: () => right + ahead, monotonic: () => right - START }, logger: log.logger })
  /** Receives a webhook with the given ages of its event and its sending. Returns whether it is late. */
  function webhook (agoMs: number, sentAfterMs = 1000): boolean {
    const happenedAt = right - agoMs
    const times = { happenedAt, sentAt: happenedAt + sentAfterMs }
    const late = lateness.isLate(times)
    lateness.accepted(times, late)
    return late
  }
  return { log, lateness, webhook, pass (ms: number) { right += ms }, setClock (ms: number) { ahead = ms } }
}

t.test('an event is late if it is older than the window in which duplicates are recognised', t => {
  const { webhook, log } = setting()
  t.equal(webhook(16 * DAY_MS), true, 'the very first event can be late')
  t.equal(webhook(14 * DAY_MS), false)
  t.equal(webhook(16 * DAY_MS), true)
  t.equal(webhook(15 * DAY_MS + 1), true)
  t.equal(webhook(15 * DAY_MS), false)
  t.equal(webhook(-DAY_MS), false, 'an event from the future is not late')
  t.strictSame(log.lines, [])
  t.end()
})

t.test('an event that was sent long after it happened is late by the sender\'s own times, whatever the clock says', t => {
  const { webhook } = setting({ aheadMs: -YEAR_MS })
  t.equal(webhook(16 * DAY_MS, 16 * DAY_MS), true)
  t.equal(webhook(16 * DAY_MS), false, 'a clock that is behind does not detect a late event')
  t.end()
})

t.test('a clock that is set a year ahead while the service runs quarantines nothing, and lets no late event in', t => {
  const { webhook, pass, setClock, log } = setting()
  t.equal(webhook(1000), false)
  setClock(YEAR_MS)
  for (let hour = 0; hour < 1000; hour++) {
    pass(3_600_000)
    t.equal(webhook(1000), false)
    t.equal(webhook(16 * DAY_MS), true)
  }
  setClock(0)
  t.equal(webhook(1000), false)
  t.strictSame(log.lines, [])
  t.end()
})

t.test('a clock that is a year ahead from the start is detected by events that come at a normal pace', t => {
  const { webhook, pass, log, setClock } = setting({ aheadMs: YEAR_MS })
  const late: boolean[] = []
  for (let event = 0; event < 20; event++) {
    late.push(webhook(1000))
    pass(25_000)
  }
  t.strictSame(late, [true, true, true, true, ...Array.from({ length: 16 }, () => false)])
  t.match(log.find('clock ahead of the sender'), [{ level: 50, aheadMs: YEAR_MS, late: 4, advice: /Correct the clock/ }])
  t.equal(webhook(16 * DAY_MS), true, 'a late event is still detected, by the corrected time')
  setClock(0)
  t.equal(webhook(1000), false)
  t.equal(webhook(16 * DAY_MS), true)
  t.end()
})

t.test('a clock that is a year ahead from the start is detected by a burst too', t => {
  const { webhook, log } = setting({ aheadMs: YEAR_MS })
  const late = Array.from({ length: 150 }, () => webhook(1000))
  t.equal(late.filter(Boolean).length, 100)
  t.equal(log.find('clock ahead of the sender').length, 1)
  t.end()
})

t.test('old requests that are sent again do not make the clock wrong, after an event has confirmed it', t => {
  const { webhook, pass } = setting()
  webhook(1000)
  for (let day = 0; day < 300; day++) {
    pass(DAY_MS)
    t.equal(webhook(20 * DAY_MS), true)
  }
  t.end()
})

t.test('one old request that is sent again and again does not count as a pace', t => {
  const { lateness, pass, log } = setting()
  const times = { happenedAt: START - 20 * DAY_MS, sentAt: START - 20 * DAY_MS }
  for (let minute = 0; minute < 90; minute++) {
    pass(61_000)
    t.equal(lateness.isLate(times), true)
    lateness.accepted(times, true)
  }
  t.strictSame(log.lines, [])
  t.end()
})

t.test('the times come from the envelope, and invalid ones are ignored', t => {
  const created = '2026-02-03T04:05:06Z'
  t.strictSame(readTimes({ created_at: '2026-02-03T04:05:07Z', event: { created_at: created } }), { happenedAt: START, sentAt: START + 1000 })
  t.strictSame(readTimes({ created_at: created, event: {} }), { happenedAt: START, sentAt: START })
  t.strictSame(readTimes({ event: { created_at: '2026-02-03T05:05:06+01:00' } }), { happenedAt: START, sentAt: undefined })
  for (const odd of [undefined, null, 5, '', 'yesterday', '2026-02-30T00:00:00Z', 'Mon, 01 Jan 2024 00:00:00 GMT', `2026-02-03T04:05:06.${'0'.repeat(100)}Z`]) {
    t.strictSame(readTimes({ created_at: odd, event: { created_at: odd } }), { happenedAt: undefined, sentAt: undefined }, String(odd).slice(0, 20))
  }
  for (const body of [undefined, null, [], 'text', { event: 'text' }]) t.strictSame(readTimes(body), { happenedAt: undefined, sentAt: undefined })
  const { lateness } = setting()
  lateness.accepted({ happenedAt: undefined, sentAt: undefined }, false)
  t.equal(lateness.isLate({ happenedAt: undefined, sentAt: 0 }), false)
  t.end()
})

t.test('an envelope whose event is older than DEDUPE_WINDOW_DAYS is quarantined, with a reason that is not a fault of its schema', async t => {
  const service = await buildService(t, signed)
  const LEFT = 'customer.loyalty.tier.left'
  const ago = (days: number) => new Date(Date.now() - days * DAY_MS)
  const old = sampleEnvelope(LEFT, { index: 0, now: ago(16) })
  const held = await service.post('/webhooks', old)
  t.match(held, { status: 202, body: { message: 'Webhook accepted', verdict: 'valid' } })
  t.match(service.log.find('webhook quarantined'), [{
    deliveryId: held.body.id, faults: [{ pointer: '/event/created_at', message: /^is longer ago than DEDUPE_WINDOW_DAYS, so a duplicate would not be recognised/ }]
  }])
  t.match(await service.post('/webhooks', old), { status: 200, body: { id: held.body.id, duplicate: true } }, 'the quarantined event is stored once')
  t.match(await service.post(`/webhooks/${LEFT}`, sampleEnvelope('customer.loyalty.tier.joined', { index: 0, now: ago(400) })), { status: 202 })
  t.match(await service.post('/webhooks/custom/none', old), { status: 404 })
  t.equal(service.log.find('webhook quarantined').length, 2)

  const sentLate = sampleEnvelope(LEFT, { index: 1, now: new Date() })
  await service.post('/webhooks', { ...sentLate, event: { ...sentLate.event, created_at: ago(16).toISOString() } })
  t.equal(service.log.find('webhook quarantined').length, 3, 'the time of the event counts, not the time of the send-out')

  const passed = [
    await service.post('/webhooks', sampleEnvelope(LEFT, { index: 2, now: ago(14) })),
    await service.post(`/webhooks/${LEFT}`, sampleEvent(LEFT, { index: 3, now: ago(400) }))
  ]
  for (const { body } of passed) await service.forwarded.find(({ deliveryId }) => deliveryId === body.id)
  t.equal(service.forwarded.lines.length, 2, 'a raw payload has no known event time, so it is never late')

  const unsigned = await buildService(t)
  const { body } = await unsigned.post('/webhooks', old)
  await unsigned.forwarded.find(({ deliveryId }) => deliveryId === body.id)
})

t.test('a copy of a stored event is a duplicate, however late it arrives', async t => {
  const service = await buildService(t, { ...signed, DEDUPE_WINDOW_DAYS: '1' })
  const body = sampleEnvelope('customer.loyalty.tier.left', { index: 0, now: new Date() })
  const first = await service.post('/webhooks', body)
  const copy = await service.post('/webhooks', { ...body, event: { ...body.event, created_at: new Date(Date.now() - 2 * DAY_MS).toISOString() } })
  t.match(copy, { status: 200, body: { id: first.body.id, duplicate: true } })
  t.strictSame(service.log.find('webhook quarantined'), [])
})
