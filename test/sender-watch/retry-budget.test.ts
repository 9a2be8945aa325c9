import t from 'tap'
import type { AcceptedWebhook, ProvenEvent, RefusedWebhook } from '../../src/delivery/observation.js'
import type { ProblemCode } from '../../src/errors/problem.js'
import { createRetryBudget, type RetryBudget } from '../../src/sender-watch/retry-budget.js'
import { captureLog, type CapturedLog } from '../support/capture-log.js'

const MINUTE = 60_000
/** The times of the sender's tries after the first one. */
const SCHEDULE = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440].map((minutes) => minutes * MINUTE)

interface Setting {
  readonly retryBudget: RetryBudget
  readonly log: CapturedLog
  time: number
  readonly fail: (sourceId: string | null, eventId: string | null, code?: ProblemCode) => void
  readonly accept: (sourceId: string, eventId: string, signed?: boolean) => void
}

function setUp (): Setting {
  const log = captureLog()
  const setting = { time: Date.parse('2026-01-31T00:00:00Z') }
  const retryBudget = createRetryBudget({ logger: log.logger, now: () => setting.time })
  return Object.assign(setting, {
    retryBudget,
    log,
    fail (sourceId: string | null, eventId: string | null, code: ProblemCode = 'JOURNAL_UNAVAILABLE') {
      retryBudget.answered(refusedWith({ sourceId, eventId }, code))
    },
    accept (sourceId: string, eventId: string, signed = true) {
      retryBudget.answered({ outcome: 'accepted', sourceId, eventId, secretNumber: signed ? 1 : undefined } as AcceptedWebhook)
    }
  })
}

function refusedWith (proven: ProvenEvent | undefined, code: ProblemCode): RefusedWebhook {
  return { outcome: 'refused', status: 503, ms: 1, code, toWebhook: true, sourceAddress: '192.0.2.1', proven }
}

t.test('a failing webhook: every try is counted by the schedule, and reported at a quarter, a half and three quarters', async (t) => {
  const setting = setUp()
  const { retryBudget, log, fail } = setting
  const start = setting.time
  for (const [index, afterMs] of SCHEDULE.entries()) {
    setting.time = start + afterMs
    fail('wh_1', 'ev_1')
    t.match(retryBudget.sources()[0], { sourceId: 'wh_1', triesUsed: Math.min(index + 1, 12), triesAllowed: 12, failedEvents: 1, disabledAt: start + 1440 * MINUTE, recovered: false })
  }
  t.strictSame(log.find('sender tries in vain').map(({ level, triesUsed }) => ({ level, triesUsed })), [{ level: 40, triesUsed: 3 }])
  t.match(log.find('sender is about to switch the webhook off'), [
    { level: 50, triesUsed: 6, sourceId: 'wh_1', lastCode: 'JOURNAL_UNAVAILABLE', disabledAt: '2026-02-01T00:00:00.000Z', advice: /DATA_DIR/ },
    { level: 50, triesUsed: 9 }
  ])
})

t.test('an event that is accepted later is cleared; the source recovers with its last one, and may then alarm again', async (t) => {
  const setting = setUp()
  const { retryBudget, log, fail, accept } = setting
  const start = setting.time
  for (const afterMs of SCHEDULE.slice(0, 4)) {
    setting.time = start + afterMs
    fail('distr_1', 'ev_1')
    fail('distr_1', 'ev_2')
  }
  accept('distr_1', 'ev_other')
  accept('distr_1', 'ev_1')
  t.match(retryBudget.sources(), [{ failedEvents: 1, triesUsed: 4, recovered: false }])
  accept('distr_1', 'ev_2', false)
  t.match(retryBudget.sources(), [{ failedEvents: 1 }], 'an unsigned event clears no failure')
  accept('distr_1', 'ev_2')
  t.match(retryBudget.sources(), [{ failedEvents: 0, triesUsed: 0, recovered: true }])
  t.equal(log.find('webhook accepted again after it failed').length, 1)
  for (const afterMs of SCHEDULE.slice(0, 3)) {
    setting.time = start + 600 * MINUTE + afterMs
    fail('distr_1', 'ev_3')
  }
  t.equal(log.find('sender tries in vain').length, 2)
  setting.time += 26 * 60 * MINUTE
  t.strictSame(retryBudget.sources(), [], 'the sender stops its retries after a day')
})

t.test('a request that comes faster than the sender\'s schedule is not its retry', async (t) => {
  const { retryBudget, log, fail } = setUp()
  for (let count = 0; count < 50; count++) fail('wh_1', 'ev_1')
  t.match(retryBudget.sources(), [{ triesUsed: 1 }])
  t.strictSame(log.lines, [])
})

t.test('events without an id count as one event, which gives the highest possible number of tries', async (t) => {
  const setting = setUp()
  const start = setting.time
  for (const afterMs of [0, MINUTE, 2 * MINUTE]) {
    setting.time = start + afterMs
    setting.fail('wh_1', null)
  }
  t.match(setting.retryBudget.sources(), [{ triesUsed: 3, failedEvents: 1 }])
})

t.test('unproven requests, and those without a source, count for no source', async (t) => {
  const setting = setUp()
  const { retryBudget, log, fail } = setting
  fail('wh_1', 'ev_1', 'EVENT_INVALID')
  const before = retryBudget.sources()
  for (const afterMs of SCHEDULE) {
    setting.time = Date.parse('2026-01-31T00:00:00Z') + afterMs
    retryBudget.answered(refusedWith(undefined, 'SIGNATURE_WRONG'))
    fail(null, 'ev_1')
  }
  setting.time = Date.parse('2026-01-31T00:00:00Z')
  t.strictSame(retryBudget.sources(), before)
  t.strictSame(log.lines, [])
})

t.test('the number of sources and events is bounded, and one that is over frees its place', async (t) => {
  const setting = setUp()
  const { retryBudget, fail } = setting
  for (let number = 0; number < 300; number++) fail(`wh_${number}`, 'ev_1')
  t.equal(retryBudget.sources().length, 100)
  for (let number = 0; number < 1000; number++) fail('wh_0', `ev_${number}`)
  t.match(retryBudget.sources().find(({ sourceId }) => sourceId === 'wh_0'), { failedEvents: 200 })
  setting.accept('wh_99', 'ev_1')
  fail('wh_next', 'ev_1')
  t.notOk(retryBudget.sources().some(({ sourceId }) => sourceId === 'wh_next'), 'a recovered source is kept, so a new source gets no place')
  setting.time += 25 * 60 * MINUTE
  fail('wh_next', 'ev_1')
  t.ok(retryBudget.sources().some(({ sourceId }) => sourceId === 'wh_next'))
})

t.test('counts are kept for the next run, and no alarm is raised twice', async (t) => {
  const first = setUp()
  const start = first.time
  for (const afterMs of SCHEDULE.slice(0, 4)) {
    first.time = start + afterMs
    first.fail('wh_1', 'ev_1')
  }
  const second = setUp()
  second.retryBudget.restore(first.retryBudget.keep())
  second.time = start + 8 * MINUTE
  t.strictSame(second.retryBudget.sources(), first.retryBudget.sources())
  second.fail('wh_1', 'ev_1')
  t.match(second.retryBudget.sources(), [{ triesUsed: 5 }])
  t.strictSame(second.log.lines, [])
})

t.test('an event that first failed while the clock was ahead is still counted, and alarms', async (t) => {
  const setting = setUp()
  const { log, fail } = setting
  const start = setting.time
  setting.time = start + 100 * 1440 * MINUTE
  fail('wh_1', 'ev_1')
  for (const afterMs of SCHEDULE.slice(0, 4)) {
    setting.time = start + afterMs
    fail('wh_1', 'ev_1')
  }
  t.match(log.find('sender tries in vain'), [{ triesUsed: 3 }])
})
