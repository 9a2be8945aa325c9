import t from 'tap'
import type { AcceptedWebhook, RefusedWebhook } from '../../src/delivery/observation.js'
import { createObserved, type Observed } from '../../src/sender-watch/observed.js'
import { watchdogOff, type WebhookStatus } from '../../src/sender-watch/webhook-status.js'
import { captureLog, type CapturedLog } from '../support/capture-log.js'

const MINUTE = 60_000
const START = Date.parse('2026-01-31T00:00:00Z')

interface Replica {
  readonly observed: Observed
  readonly log: CapturedLog
  leads: boolean
  status: WebhookStatus
}

/** Two replicas that exchange observations when the test says so. */
function makeTwo () {
  const clock = { time: START }
  const make = (leads: boolean): Replica => {
    const log = captureLog()
    const replica = { log, leads, status: watchdogOff }
    const observed = createObserved({ expectations: [{ pattern: '*', withinMs: 10 * MINUTE }], logger: log.logger, now: () => clock.time, leads: () => replica.leads, webhookStatus: () => replica.status })
    return Object.assign(replica, { observed })
  }
  const [a, b] = [make(true), make(false)]
  return {
    a,
    b,
    clock,
    exchange () {
      const [ofA, ofB] = [a.observed.keep(), b.observed.keep()]
      a.observed.heard([ofB])
      b.observed.heard([ofA])
    }
  }
}

const failed = (eventId: string, sourceId = 'wh_1'): RefusedWebhook => ({
  outcome: 'refused', status: 503, ms: 1, code: 'JOURNAL_UNAVAILABLE', toWebhook: true, sourceAddress: '192.0.2.1', proven: { sourceId, eventId }
})
const unsigned: RefusedWebhook = { outcome: 'refused', status: 401, ms: 1, code: 'SIGNATURE_WRONG', toWebhook: true, sourceAddress: '192.0.2.1', proven: undefined }
const accepted = (eventId: string, body: object = {}, sourceId = 'wh_1'): AcceptedWebhook => ({
  outcome: 'accepted',
  status: 202,
  ms: 1,
  deliveryId: eventId,
  eventType: 'made.up',
  verdict: 'unvalidated',
  quarantined: false,
  late: false,
  sourceObject: 'webhook',
  sourceId,
  eventId,
  faults: [],
  secretNumber: 1,
  sourceAddress: '192.0.2.1',
  body
})

t.test('tries of one event at two replicas are one retry budget, and only the leader reports it, once', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  for (const [index, minutes] of [0, 1, 2, 4, 8, 16].entries()) {
    clock.time = START + minutes * MINUTE
    ;[a, b][index % 2]?.observed.answered(failed('ev_1'))
    exchange()
    exchange()
  }
  for (const { observed } of [a, b]) t.match(observed.retryBudget(), [{ sourceId: 'wh_1', triesUsed: 6, failedEvents: 1, disabledAt: START + 1440 * MINUTE, recovered: false }])
  t.strictSame([a, b].map(({ log }) => log.find('sender tries in vain').map(({ triesUsed }) => triesUsed)), [[3], []])
  t.strictSame([a, b].map(({ log }) => log.find('sender is about to switch the webhook off').map(({ triesUsed }) => triesUsed)), [[6], []])
})

t.test('an event that failed at one replica and is accepted by another is over everywhere, and may fail again', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  for (const minutes of [0, 1, 2]) {
    clock.time = START + minutes * MINUTE
    b.observed.answered(failed('ev_1'))
  }
  exchange()
  t.equal(a.log.find('sender tries in vain').length, 1)
  a.observed.answered(accepted('ev_1'))
  exchange()
  for (const { observed } of [a, b]) t.match(observed.retryBudget(), [{ failedEvents: 0, recovered: true }])
  exchange()
  t.strictSame([a, b].map(({ log }) => log.find('webhook accepted again after it failed').length), [1, 0])
  t.equal(a.observed.keep().retryBudget.recovered, undefined, 'the recovery is dropped after the other replica has heard of it')
  clock.time += MINUTE
  b.observed.answered(failed('ev_1'))
  exchange()
  for (const { observed } of [a, b]) t.match(observed.retryBudget(), [{ triesUsed: 1, failedEvents: 1, recovered: false }])
})

t.test('if other replicas cannot be read, each replica raises the alarms', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  exchange()
  a.leads = false
  for (const minutes of [0, 1, 2]) {
    clock.time = START + minutes * MINUTE
    for (const { observed } of [a, b]) {
      observed.answered(failed('ev_1'))
      observed.heard(undefined)
    }
  }
  t.strictSame([a, b].map(({ log }) => log.find('sender tries in vain').length), [1, 1])
})

t.test('a new leader knows which alarms were raised, and raises none for what is over', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  for (const minutes of [0, 1, 2]) {
    clock.time = START + minutes * MINUTE
    a.observed.answered(failed('ev_1'))
  }
  exchange()
  b.leads = true
  a.leads = false
  exchange()
  t.equal(b.log.find('sender tries in vain').length, 1)
  exchange()
  t.equal(b.log.find('sender tries in vain').length, 1)
})

t.test('an event that any replica accepts has arrived, and only the leader reports a missing one', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  const check = (): void => { for (const { observed } of [a, b]) observed.missingEvents.check() }
  clock.time += 9 * MINUTE
  b.observed.answered(accepted('ev_1'))
  exchange()
  clock.time += 2 * MINUTE
  check()
  t.strictSame([...a.log.lines, ...b.log.lines], [])
  t.match(a.observed.missingEvents.states(), [{ lastAt: START + 9 * MINUTE, missing: false }])
  clock.time += 9 * MINUTE
  check()
  t.strictSame([a, b].map(({ log }) => log.find('expected event does not come').length), [1, 0])
  b.observed.answered(accepted('ev_2'))
  exchange()
  t.strictSame([a, b].map(({ log }) => log.find('expected event comes again').length), [1, 0])
})

t.test('unproven requests are counted together, and are over as soon as any replica accepts a signed one', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  b.observed.answered(accepted('ev_1'))
  exchange()
  for (const minutes of [1, 2, 4]) {
    clock.time = START + minutes * MINUTE
    a.observed.answered(unsigned)
    b.observed.answered(unsigned)
    exchange()
  }
  for (const { observed } of [a, b]) t.match(observed.unproven().refused, [{ from: 'known', count: 6, triesUsed: 3 }])
  t.strictSame([a, b].map(({ log }) => log.find('unproven webhooks refused from a known address').length), [1, 0])
  clock.time += MINUTE
  b.observed.answered(accepted('ev_2'))
  exchange()
  for (const { observed } of [a, b]) t.match(observed.unproven(), { refused: { length: 0 }, addresses: [{ address: '192.0.2.1', known: true, count: 6 }] })
})

t.test('drift is counted together, and a reset by one replica lasts until the other has seen it', async (t) => {
  const { a, b, exchange } = makeTwo()
  a.observed.answered(accepted('ev_1'))
  b.observed.answered(accepted('ev_2'))
  exchange()
  for (const { observed } of [a, b]) t.match(observed.drift().differences, [{ kind: 'unknown event type', count: 2 }])
  a.observed.forget('drift')
  t.strictSame(a.observed.drift().differences, [])
  t.match([...a.observed.driftTotals()], [{ eventType: 'other', count: 1 }], 'a counter never decreases')
})

t.test('rows of replicas that are gone are merged, and nothing of them is counted twice', async (t) => {
  const { a, b, clock } = makeTwo()
  for (const minutes of [0, 1, 2]) {
    clock.time = START + minutes * MINUTE
    a.observed.answered(failed('ev_1'))
    a.observed.answered(accepted(`ev_${minutes + 2}`))
  }
  const gone = b.observed.merge([a.observed.keep(), b.observed.keep()])
  t.match(gone, { drift: { differences: [{ count: 3 }] }, retryBudget: { sources: [{ alarmed: 0, events: [{ failures: 3 }] }] }, missingEvents: [{ lastAt: START + 2 * MINUTE }] })
  a.observed.heard([gone])
  a.observed.forget('all')
  t.match(a.observed.drift().differences, [{ count: 3 }])
  t.match(a.observed.retryBudget(), [{ triesUsed: 3 }])
})

t.test('finished entries are not kept if they would take the places of others', async (t) => {
  const { a, b, clock } = makeTwo()
  for (let index = 0; index < 100; index++) a.observed.answered(failed('ev_1', `wh_${index}`))
  const before = b.observed.merge([a.observed.keep()])
  t.equal(before.retryBudget.sources.length, 100)
  clock.time += 26 * 60 * MINUTE
  const after = b.observed.merge([before])
  t.strictSame(after.retryBudget.sources, [])
})

t.test('the state of the webhook comes from the replica that asks Voucherify', async (t) => {
  const { a, b, clock, exchange } = makeTwo()
  a.status = { ...watchdogOff, watching: true, askedAt: new Date(START).toISOString(), unansweredMs: 0, checks: [{ check: 'active', state: 'wrong', detail: 'off', since: new Date(START).toISOString() }] }
  b.status = { ...watchdogOff, watching: true }
  exchange()
  const before = a.observed.keep().webhook
  clock.time += MINUTE
  t.match(b.observed.webhookStatus(), { askedAt: '2026-01-31T00:00:00.000Z', unansweredMs: MINUTE, checks: [{ state: 'wrong' }] })
  t.match(a.observed.webhookStatus(), { checks: [{ state: 'wrong' }] })
  a.status = { ...a.status, unansweredMs: MINUTE }
  t.strictSame(a.observed.keep().webhook, before, 'a longer time without an answer alone writes nothing')
})
