import t from 'tap'
import { isSuccess, type Answer } from '../../src/simulator/answer.js'
import { copyOf, dueAtMs, type Pace } from '../../src/simulator/pace.js'
import { isPerfect, type Report } from '../../src/simulator/report.js'
import { maxRetries, retryOffsetMs } from '../../src/voucherify/retry-schedule.js'
import { run, type RunOptions } from '../../src/simulator/run.js'
import { Tally } from '../../src/simulator/tally.js'
import type { PayloadGenerator } from '../../src/simulator/webhook.js'
import { steeredClock } from '../support/steered-clock.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Request {
  readonly event: number
  /** When the request was sent, in milliseconds since the beginning. */
  readonly at: number
  /** The number of the request for this event, from 1. */
  readonly nth: number
}

type Receiver = (request: Request) => Partial<Answer> & { readonly takesMs?: number }

/** A run against a receiver that is a function, on a simulated clock. */
function start (pace: Pace, receiver: Receiver, options: Partial<RunOptions> = {}, sources: readonly string[] = ['distr_1']) {
  const clock = steeredClock()
  const tally = new Tally(pace)
  const requests: Request[] = []
  const accepted: number[] = []
  const stop = new AbortController()
  const abandoned = new Set<() => void>()
  const bodies: string[] = []
  const generator: PayloadGenerator = {
    sources,
    sourceOf: index => sources[index % sources.length] ?? '',
    webhook: (index, happenedAt) => ({ url: new URL('http://receiver.example/'), headers: { index: String(index) }, body: Buffer.from(`${index} ${happenedAt}`) })
  }
  let finished = false
  let underWay = 0
  const state = { mostUnderWay: 0 }
  const done = run({
    generator,
    pace,
    limit: 100,
    retries: 0,
    clockFactor: 1,
    duplicates: 0,
    overlaps: 0,
    clock,
    tally,
    signal: stop.signal,
    onAccepted: index => { accepted.push(index) },
    async post (webhook) {
      const event = Number(webhook.headers['index'])
      bodies.push(Buffer.from(webhook.body).toString())
      const request = { event, at: clock.monotonic(), nth: requests.filter(each => each.event === event).length + 1 }
      requests.push(request)
      state.mostUnderWay = Math.max(state.mostUnderWay, ++underWay)
      const { takesMs = 1, ...answer } = receiver(request)
      const whole = await new Promise<Answer>(resolve => {
        clock.after(takesMs, () => { resolve({ status: 202, message: '', durationMs: takesMs, ...answer }) })
        abandoned.add(() => { resolve({ status: 'UND_ERR_DESTROYED', message: '', durationMs: 0 }) })
      })
      underWay--
      return whole
    },
    ...options
  }).then(() => { finished = true })
  return {
    clock,
    requests,
    accepted,
    bodies,
    state,
    isFinished: () => finished,
    stop: () => {
      stop.abort()
      for (const abandon of abandoned) abandon()
    },
    report: async (): Promise<Report> => {
      await done
      return tally.report({ elapsedMs: clock.monotonic(), stopped: stop.signal.aborted })
    }
  }
}

const always = (answer: ReturnType<Receiver>): Receiver => () => answer

t.test('retries are due after 1, 2, 4 … minutes, then 17 h 4 and 24 h, counted from the first attempt', async t => {
  const offsets = Array.from({ length: maxRetries }, (_, index) => retryOffsetMs(index + 1) / MINUTE)
  t.strictSame(offsets, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 17 * 60 + 4, 24 * 60])
  t.throws(() => retryOffsetMs(13), RangeError)
  t.throws(() => retryOffsetMs(0), RangeError)
})

t.test('an open loop sends on schedule although no answer comes, and measures from the due time', async t => {
  const sending = start({ kind: 'open', perSecond: 4, events: 8 }, ({ event }) => ({ takesMs: event === 0 ? 9000 : 100 }))
  await sending.clock.pass(1999)
  t.strictSame(sending.requests.map(({ at }) => at), [0, 250, 500, 750, 1000, 1250, 1500, 1750])
  t.notOk(sending.isFinished())
  await sending.clock.pass(10_000)
  const report = await sending.report()
  t.match(report, { events: { planned: 8, sent: 8, accepted: 8 }, requests: 8, schedule: { perSecond: 4, kept: true, lateStarts: 0, latestMs: 0, limitReached: false } })
  t.equal(report.latencyMs.max, 9000)
  t.ok(Math.abs(report.latencyMs.p50 - 100) < 1)
})

t.test('a schedule that the simulator cannot keep is reported, and latencies include the wait', async t => {
  const sending = start({ kind: 'open', perSecond: 10, events: 3 }, always({ takesMs: 1000 }), { limit: 1 })
  await sending.clock.pass(5000)
  const report = await sending.report()
  t.strictSame(sending.requests.map(({ at }) => at), [0, 1000, 2000])
  t.strictSame(report.schedule, { perSecond: 10, kept: false, lateStarts: 2, latestMs: 1800, limitReached: true })
  t.equal(report.latencyMs.max, 2800)
})

t.test('a closed loop sends the next event when there is room, for a number of events or for a time', async t => {
  const counted = start({ kind: 'closed', events: 5 }, always({ takesMs: 100 }), { limit: 2 })
  await counted.clock.pass(1000)
  t.strictSame(counted.requests.map(({ at }) => at), [0, 0, 100, 100, 200])
  t.equal(counted.state.mostUnderWay, 2)
  t.match(await counted.report(), { schedule: null, events: { planned: 5, accepted: 5 } })
  const timed = start({ kind: 'closed', forMs: 1000 }, always({ takesMs: 300 }), { limit: 1 })
  await timed.clock.pass(5000)
  t.match(await timed.report(), { events: { planned: null, sent: 4, accepted: 4 } })
})

t.test('a failed event is retried when Voucherify would, with the same bytes, until it is accepted', async t => {
  const sending = start({ kind: 'closed', events: 1 }, ({ nth }) => ({ status: nth <= 4 ? 503 : 202, takesMs: 0 }), { retries: 12 })
  await sending.clock.pass(HOUR)
  t.strictSame(sending.requests.map(({ at }) => at / MINUTE), [0, 1, 2, 4, 8])
  t.equal(new Set(sending.bodies).size, 1)
  const report = await sending.report()
  t.match(report, { events: { accepted: 1, failed: 0 }, retries: { spent: 4, mostStrikes: 4 }, answers: { 503: 4, 202: 1 }, switchedOff: { length: 0 } })
  t.ok(isPerfect(report), 'no event was lost')
})

t.test('a clock that runs a thousand times as fast makes a day last 86 seconds', async t => {
  const sending = start({ kind: 'closed', events: 1 }, ({ nth }) => ({ status: nth <= 12 ? 500 : 202, takesMs: 0 }), { retries: 12, clockFactor: 1000 })
  await sending.clock.pass(86_400)
  t.strictSame(sending.requests.map(({ at }) => at), [0, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_720, 61_440, 86_400])
  t.match(await sending.report(), { events: { accepted: 1 }, retries: { spent: 12, mostStrikes: 12 }, switchedOff: { length: 0 } })
})

t.test('a retry that is due while its answer is awaited is sent after that has failed', async t => {
  const sending = start({ kind: 'closed', events: 1 }, ({ nth }) => nth === 1 ? { status: 'timeout', takesMs: 10_000 } : { takesMs: 0 }, { retries: 12, clockFactor: 1000 })
  await sending.clock.pass(20_000)
  t.strictSame(sending.requests.map(({ at }) => at), [0, 10_000])
  t.match(await sending.report(), { timeouts: 1, events: { accepted: 1 } })
})

t.test('after twelve failed retries the source is switched off, and the rest of its events is lost', async t => {
  const sending = start({ kind: 'open', perSecond: 1 / 3700, events: 30 }, always({ status: 500, takesMs: 0 }), { retries: 12 })
  await sending.clock.pass(25 * HOUR)
  const report = await sending.report()
  t.equal(sending.requests.filter(({ event }) => event === 0).length, 13)
  t.match(report, {
    events: { planned: 30, sent: 24, accepted: 0, failed: 1, lost: 29, unfinished: 0 },
    retries: { mostStrikes: 13 },
    switchedOff: [{ source: 'distr_1', afterMs: 24 * HOUR, lost: 29 }]
  })
  t.notOk(isPerfect(report))
  t.equal(report.requests, sending.requests.length)
})

t.test('a source that is switched off does not affect the other', async t => {
  const sending = start({ kind: 'open', perSecond: 1 / 3600, events: 30 }, ({ event }) => ({ status: event % 2 === 0 ? 500 : 202, takesMs: 0 }), { retries: 12 }, ['distr_dead', 'wh_alive'])
  await sending.clock.pass(60 * HOUR)
  t.match(await sending.report(), { events: { accepted: 15, failed: 1, lost: 14, unfinished: 0 }, switchedOff: [{ source: 'distr_dead', lost: 14 }] })
})

t.test('with fewer retries than twelve, events are given up without switching off', async t => {
  const sending = start({ kind: 'closed', events: 2 }, always({ status: 400, code: 'BODY_NOT_JSON', message: 'no', faults: ['/a is wrong'], takesMs: 0 }), { retries: 2 })
  await sending.clock.pass(HOUR)
  t.match(await sending.report(), {
    events: { failed: 2, lost: 0 },
    retries: { spent: 4, mostStrikes: 3 },
    switchedOff: { length: 0 },
    answers: { '400 BODY_NOT_JSON': 6 },
    problems: [{ event: 0, attempt: 1, status: 400, message: 'no', faults: ['/a is wrong'] }]
  })
})

t.test('a share of events is sent once more, and the receiver\'s answer to the copy is reported', async t => {
  const receivers: ReadonlyArray<readonly [string, Receiver]> = [
    ['recognised', ({ nth }) => ({ id: 'a', verdict: 'valid', duplicate: nth > 1, status: nth > 1 ? 200 : 202 })],
    ['recognised', always({ id: 'a' })],
    ['unmarked', always({})],
    ['unmarked', ({ nth }) => ({ id: `request-${nth}` })],
    ['takenTwice', ({ nth }) => ({ id: `delivery-${nth}`, verdict: 'valid' })],
    ['refused', ({ nth }) => ({ status: nth > 1 ? 409 : 202 })]
  ]
  for (const [fate, receiver] of receivers) {
    const sending = start({ kind: 'closed', events: 100 }, receiver, { duplicates: 0.05 })
    await sending.clock.pass(1000)
    const report = await sending.report()
    t.equal(report.copies[fate as 'recognised'], 5, fate)
    t.equal(report.copies.sent, 5)
    t.equal(report.events.accepted, 100)
    t.equal(isPerfect(report), fate === 'recognised' || fate === 'unmarked')
    t.ok(sending.requests.filter(({ nth }) => nth === 2).every(({ at }) => at > 0), 'each copy is sent after the event was accepted')
  }
})

t.test('a copy overlaps a slow answer, and an event counts as accepted if only its copy was', async t => {
  const sending = start({ kind: 'closed', events: 1 }, ({ nth }) => nth === 1 ? { status: 'timeout', takesMs: 10_000 } : { takesMs: 50 }, { overlaps: 1, retries: 12 })
  await sending.clock.pass(HOUR)
  t.strictSame(sending.requests.map(({ at }) => at), [0, 0])
  t.strictSame(sending.accepted, [0], 'the acceptance is reported once')
  t.match(await sending.report(), { events: { accepted: 1, failed: 0 }, copies: { sent: 1, unmarked: 1 }, timeouts: 1, retries: { spent: 0 } })
})

t.test('a stopped run gives a report that includes requests under way', async t => {
  const sending = start({ kind: 'open', perSecond: 10, events: 1000 }, ({ event }) => ({ status: event === 1 ? 500 : 202, takesMs: 150 }), { retries: 12 })
  await sending.clock.pass(1000)
  sending.stop()
  const report = await sending.report()
  t.match(report, { stopped: true, events: { planned: 1000, sent: 11, accepted: 8, failed: 0, lost: 0, unfinished: 3 }, networkErrors: 0 })
})

t.test('the number of kinds of answers is bounded', async t => {
  const sending = start({ kind: 'closed', events: 200 }, ({ event }) => ({ status: 400, code: `CODE_${event}` }))
  await sending.clock.pass(10_000)
  const { answers, problems } = await sending.report()
  t.equal(Object.keys(answers).length, 51)
  t.equal(answers['other'], 150)
  t.equal(problems.length, 10)
})

t.test('shares are spread over the events, no event belongs to two shares, and a pace ends', async t => {
  const copies = Array.from({ length: 10_000 }, (_, index) => copyOf(index, { overlaps: 0.05, duplicates: 0.1 }))
  for (const [kind, share] of [['beside', 0.05], ['after', 0.1]] as const) {
    t.ok(Math.abs(copies.filter(copy => copy === kind).length - share * 10_000) <= 2)
    const turns = Array.from({ length: 8 }, (_, turn) => copies.filter((copy, index) => copy === kind && index % 8 === turn).length)
    t.ok(Math.min(...turns) > share * 1250 * 0.7, `each of the eight event types has its share: ${turns.join()}`)
  }
  t.equal(copyOf(3, { overlaps: 0, duplicates: 0 }), 'none')
  t.equal(copyOf(3, { overlaps: 1, duplicates: 1 }), 'beside')
  t.equal(dueAtMs({ kind: 'open', perSecond: 2, events: 3 }, 3, 0), undefined)
  t.ok(isSuccess({ status: 299 }) && !isSuccess({ status: 301 }) && !isSuccess({ status: 'timeout' }))
})
