import t from 'tap'
import type { AcceptedWebhook, RefusedWebhook } from '../../src/delivery/observation.js'
import type { ProblemCode } from '../../src/errors.js'
import { createPatience, type Patience } from '../../src/operations/patience.js'
import { createReadRefused } from '../../src/operations/read-refused.js'
import { captureLog, type CapturedLog } from '../support/capture-log.js'
import { envelopeAround } from '../support/envelope-around.js'

const MINUTE = 60_000
/** When the sender makes its tries, after the first. */
const SCHEDULE = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440].map((minutes) => minutes * MINUTE)

interface Setting {
  readonly patience: Patience
  readonly log: CapturedLog
  time: number
  readonly fail: (sourceId: string, eventId: string | null, code?: ProblemCode) => void
  readonly accept: (sourceId: string, eventId: string) => void
}

function setUp ({ signed = true } = {}): Setting {
  const log = captureLog()
  const setting = { time: Date.parse('2026-01-31T00:00:00Z') }
  const readers = { readProven: createReadRefused({ monotonic: () => setting.time }), readUnproven: createReadRefused({ monotonic: () => setting.time }) }
  const patience = createPatience({ logger: log.logger, now: () => setting.time, signed, ...readers })
  return Object.assign(setting, {
    patience,
    log,
    fail (sourceId: string, eventId: string | null, code: ProblemCode = 'SIGNATURE_WRONG') {
      const envelope = envelopeAround('customer.loyalty.tier.left', {}, 1)
      const body = { ...envelope, source: { ...envelope.source, id: sourceId }, event: { ...envelope.event, id: eventId } }
      patience.answered(refusedWith(Buffer.from(JSON.stringify(body)), code))
    },
    accept (sourceId: string, eventId: string) {
      patience.answered({ outcome: 'accepted', sourceId, eventId } as AcceptedWebhook)
    }
  })
}

function refusedWith (rawBody: Uint8Array | undefined, code: ProblemCode): RefusedWebhook {
  return { outcome: 'refused', status: 401, ms: 1, code, toWebhook: true, rawBody }
}

t.test('a webhook whose secret was rotated: every try is counted by the schedule, and told at a quarter, a half and three quarters', async (t) => {
  const setting = setUp()
  const { patience, log, fail, accept } = setting
  accept('wh_1', 'ev_before')
  const start = setting.time
  for (const [index, afterMs] of SCHEDULE.entries()) {
    setting.time = start + afterMs
    fail('wh_1', 'ev_1')
    t.match(patience.sources()[0], { sourceId: 'wh_1', proven: true, triesUsed: Math.min(index + 1, 12), triesAllowed: 12, failedEvents: 1, disabledAt: start + 1440 * MINUTE, recovered: false })
  }
  t.strictSame(log.find('sender tries in vain').map(({ level, triesUsed }) => ({ level, triesUsed })), [{ level: 40, triesUsed: 3 }])
  t.match(log.find('sender is about to switch the webhook off'), [
    { level: 50, triesUsed: 6, sourceId: 'wh_1', lastCode: 'SIGNATURE_WRONG', disabledAt: '2026-02-01T00:00:00.000Z', advice: /VOUCHERIFY_WEBHOOK_SECRETS/ },
    { level: 50, triesUsed: 9 }
  ])
})

t.test('an event that is accepted later clears itself; the source recovers with its last one, and may then alarm anew', async (t) => {
  const setting = setUp()
  const { patience, log, fail, accept } = setting
  const start = setting.time
  for (const afterMs of SCHEDULE.slice(0, 4)) {
    setting.time = start + afterMs
    fail('distr_1', 'ev_1', 'JOURNAL_UNAVAILABLE')
    fail('distr_1', 'ev_2', 'JOURNAL_UNAVAILABLE')
  }
  accept('distr_1', 'ev_other')
  accept('distr_1', 'ev_1')
  t.match(patience.sources(), [{ failedEvents: 1, triesUsed: 4, recovered: false, proven: true }])
  accept('distr_1', 'ev_2')
  t.match(patience.sources(), [{ failedEvents: 0, triesUsed: 0, recovered: true }])
  t.equal(log.find('webhook accepted again after it failed').length, 1)
  for (const afterMs of SCHEDULE.slice(0, 3)) {
    setting.time = start + 600 * MINUTE + afterMs
    fail('distr_1', 'ev_3')
  }
  t.equal(log.find('sender tries in vain').length, 2)
  setting.time += 26 * 60 * MINUTE
  t.strictSame(patience.sources(), [], 'after its day the sender tries no more')
})

t.test('what comes faster than the sender\'s schedule is not its retry', async (t) => {
  const { patience, log, fail } = setUp()
  for (let count = 0; count < 50; count++) fail('wh_1', 'ev_1')
  t.match(patience.sources(), [{ triesUsed: 1, proven: false }])
  t.strictSame(log.lines, [])
})

t.test('events without an id count as one, and so as the most that it may be', async (t) => {
  const setting = setUp()
  const start = setting.time
  for (const afterMs of [0, MINUTE, 2 * MINUTE]) {
    setting.time = start + afterMs
    setting.fail('wh_1', null)
  }
  t.match(setting.patience.sources(), [{ triesUsed: 3, failedEvents: 1 }])
})

t.test('made-up sources fill neither the table nor the log, and take no place from real ones', async (t) => {
  const setting = setUp()
  const { patience, log, fail, accept } = setting
  accept('wh_real', 'ev_0')
  const start = setting.time
  for (const afterMs of SCHEDULE.slice(0, 5)) {
    for (let number = 0; number < 2000; number++) {
      setting.time = start + afterMs + number * 20
      fail(`wh_${number}`, 'ev_1')
    }
    fail('wh_real', 'ev_1')
  }
  const sources = patience.sources()
  t.equal(sources.length, 21)
  t.match(sources.find(({ sourceId }) => sourceId === 'wh_real'), { trusted: true, triesUsed: 5 })
  t.strictSame(sources.filter(({ trusted }) => trusted).length, 1)
  const warned = log.find('sender tries in vain').map(({ sourceId }) => sourceId)
  t.ok(warned.includes('wh_real'))
  t.equal(warned.length, 6, 'five an hour of what nobody knows')
  for (let number = 0; number < 1000; number++) fail('wh_real', `ev_${number}`)
  t.ok((patience.sources().find(({ sourceId }) => sourceId === 'wh_real')?.failedEvents ?? 0) <= 200)
})

t.test('bodies that name no source of Voucherify\'s are passed over', async (t) => {
  const { patience, fail } = setUp()
  for (const id of ['', 'x', 'wh_', 'wh_<script>', `wh_${'x'.repeat(65)}`, 'distr_1\n']) fail(id, 'ev_1')
  for (const rawBody of [undefined, Buffer.from('{'), Buffer.from('[]'), Buffer.from('{"source":{"id":"wh_1"}}'), Buffer.from('')]) patience.answered(refusedWith(rawBody, 'BODY_NOT_JSON'))
  patience.answered({ ...refusedWith(Buffer.from(JSON.stringify(envelopeAround('x', {}))), 'NOT_FOUND'), toWebhook: false })
  t.strictSame(patience.sources(), [])
})

t.test('no more than so many bodies, and so much of them, are read in a second', async (t) => {
  let now = 0
  const read = createReadRefused({ monotonic: () => now, bodiesPerSecond: 3, bytesPerSecond: 2000 })
  const body = Buffer.from(JSON.stringify(envelopeAround('x', {})))
  t.strictSame([1, 2, 3, 4].map(() => read(body) !== undefined), [true, true, true, false])
  now = 1000
  t.strictSame(read(body), { sourceId: 'distr_tea', eventId: 'ev_1' })
  t.equal(read(Buffer.from(JSON.stringify(envelopeAround('x', { text: 'x'.repeat(2000) })))), undefined)
})

t.test('what was counted is taken over by the next run, and an alarm is not given twice', async (t) => {
  const first = setUp()
  const start = first.time
  first.accept('wh_1', 'ev_0')
  for (const afterMs of SCHEDULE.slice(0, 4)) {
    first.time = start + afterMs
    first.fail('wh_1', 'ev_1')
  }
  const second = setUp()
  second.patience.restore(first.patience.keep())
  second.time = start + 8 * MINUTE
  t.strictSame(second.patience.sources(), first.patience.sources())
  second.fail('wh_1', 'ev_1')
  t.match(second.patience.sources(), [{ triesUsed: 5, trusted: true }])
  t.strictSame(second.log.lines, [])
})
