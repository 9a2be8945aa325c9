import t from 'tap'
import type { AcceptedWebhook, RefusedWebhook } from '../../src/delivery/observation.js'
import type { ProblemCode } from '../../src/errors/problem.js'
import { formatObservations, parseObservations } from '../../src/sender-watch/observations.js'
import { createUnproven, type Unproven } from '../../src/sender-watch/unproven.js'
import { captureLog, type CapturedLog } from '../support/capture-log.js'

const START = Date.parse('2026-01-31T00:00:00Z')
const MINUTE = 60_000
const DAY = 1440 * MINUTE
const SENDER = '192.0.2.1'

interface Setting {
  readonly unproven: Unproven
  readonly log: CapturedLog
  time: number
  readonly refuse: (sourceAddress: string | undefined, code?: ProblemCode, more?: Partial<RefusedWebhook>) => void
  readonly accept: (sourceAddress: string | undefined, more?: Partial<AcceptedWebhook>) => void
}

function setUp (): Setting {
  const log = captureLog()
  const setting = { time: START }
  const unproven = createUnproven({ logger: log.logger, now: () => setting.time })
  return Object.assign(setting, {
    unproven,
    log,
    refuse (sourceAddress: string | undefined, code: ProblemCode = 'SIGNATURE_WRONG', more: Partial<RefusedWebhook> = {}) {
      unproven.answered({ outcome: 'refused', status: 401, ms: 1, code, toWebhook: true, sourceAddress, proven: undefined, ...more })
    },
    accept (sourceAddress: string | undefined, more: Partial<AcceptedWebhook> = {}) {
      unproven.answered({ outcome: 'accepted', late: false, secretNumber: 1, sourceAddress, ...more } as AcceptedWebhook)
    }
  })
}

t.test('a rotated secret: wrong signatures from known addresses are counted by the sender\'s schedule, and reported three times', async (t) => {
  const setting = setUp()
  const { unproven, log, refuse, accept } = setting
  accept(SENDER)
  for (const [index, minutes] of [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440].entries()) {
    setting.time = START + minutes * MINUTE
    refuse(SENDER)
    t.match(unproven.report(), {
      signedAt: START,
      refused: [{ from: 'known', count: index + 1, since: START, lastAt: setting.time, triesUsed: Math.min(index + 1, 12), triesAllowed: 12, disabledAt: START + DAY, lastCode: 'SIGNATURE_WRONG', advice: /rotated/ }],
      addresses: [{ address: SENDER, known: true, count: index + 1 }]
    })
  }
  t.match(log.find('unproven webhooks refused from a known address'), [
    { level: 40, triesUsed: 3, sourceAddress: SENDER, count: 3, since: '2026-01-31T00:00:00.000Z', disabledAt: '2026-02-01T00:00:00.000Z', lastCode: 'SIGNATURE_WRONG' },
    { level: 40, triesUsed: 6 },
    { level: 40, triesUsed: 9 }
  ])
  t.equal(log.lines.length, 3)
  accept(SENDER)
  t.strictSame(unproven.report().refused, [], 'an accepted webhook clears the refusals')
})

t.test('behind a proxy that adds the port to the address, the sender is known at any port', async (t) => {
  const { unproven, refuse, accept } = setUp()
  accept(`${SENDER}:51234`)
  for (let port = 51_235; port < 51_238; port++) refuse(`${SENDER}:${port}`)
  t.match(unproven.report(), { refused: [{ from: 'known', count: 3 }], addresses: [{ address: SENDER, known: true, count: 3 }] })
})

t.test('a burst is one try, and requests from unknown addresses are not reported', async (t) => {
  const setting = setUp()
  setting.accept(SENDER)
  for (let count = 0; count < 1000; count++) setting.refuse(SENDER)
  t.match(setting.unproven.report().refused, [{ from: 'known', count: 1000, triesUsed: 1 }])
  for (let minute = 0; minute < 1440; minute++) {
    setting.time = START + minute * MINUTE
    setting.refuse('198.51.100.1')
  }
  t.match(setting.unproven.report().refused, [{ from: 'known', count: 1000, triesUsed: 1 }, { from: 'other', count: 1440, triesUsed: 12 }])
  t.strictSame(setting.log.lines, [])
})

t.test('neither a duplicate, nor an event that is too old, nor an unsigned request makes an address known, or ends the suspicion', async (t) => {
  const { unproven, refuse, accept } = setUp()
  refuse(SENDER)
  const before = unproven.report()
  accept(SENDER, { outcome: 'duplicate', status: 200 })
  accept(SENDER, { late: true, quarantined: true })
  accept(SENDER, { secretNumber: undefined })
  t.strictSame(unproven.report(), before)
  t.match(before, { signedAt: null, refused: [{ from: 'other' }], addresses: [{ known: false }] })
})

t.test('signed requests that are refused, and requests to other paths, are not counted', async (t) => {
  const { unproven, refuse } = setUp()
  refuse(SENDER, 'EVENT_INVALID', { proven: { sourceId: null, eventId: null } })
  refuse(SENDER, 'NOT_FOUND', { toWebhook: false })
  t.strictSame(unproven.report(), { signedAt: null, refused: [], addresses: [] })
})

t.test('ten thousand unknown addresses take no place from those of signed webhooks, and are counted together', async (t) => {
  const setting = setUp()
  const { unproven, refuse, accept } = setting
  accept(SENDER)
  refuse(SENDER)
  for (let index = 0; index < 10_000; index++) {
    setting.time = START + index
    refuse(`198.51.${index >> 8}.${index & 255}`, 'HEADER_WRONG')
  }
  const { addresses } = unproven.report()
  t.equal(addresses.length, 22)
  t.match(addresses.find(({ address }) => address === SENDER), { known: true, count: 1, firstAt: START, lastAt: START, lastCode: 'SIGNATURE_WRONG' })
  t.match(addresses.find(({ address }) => address === null), { known: false, count: 9980, firstAt: START, lastAt: START + 9979, lastCode: 'HEADER_WRONG' })
  t.equal(addresses[0]?.address, '198.51.39.15', 'the latest address comes first')
  setting.time += 2 * DAY
  t.strictSame(unproven.report(), { signedAt: START, refused: [], addresses: [] }, 'refusals are forgotten after a day')
})

t.test('addresses of signed webhooks have their own limit; one that is dropped is unknown again', async (t) => {
  const setting = setUp()
  const { unproven, refuse, accept } = setting
  for (let index = 0; index < 200; index++) {
    setting.time = START + index
    accept(`203.0.113.${index}`)
    refuse(`203.0.113.${index}`)
  }
  const { addresses } = unproven.report()
  t.equal(addresses.filter(({ known }) => known).length, 50)
  t.equal(addresses.filter(({ known }) => !known).length, 21)
  t.equal(addresses.reduce((sum, { count }) => sum + count, 0), 200)
  const observations = { drift: { differences: [], dropped: 0 }, retryBudget: { sources: [] }, missingEvents: [], unproven: unproven.keep() }
  t.match(parseObservations(formatObservations(observations)), observations)
})

t.test('an IPv6 address counts as its network, and an invalid address is no address', async (t) => {
  const { unproven, refuse, accept } = setUp()
  accept('2001:db8::1')
  refuse('2001:db8::2')
  refuse('x'.repeat(5000))
  refuse(undefined)
  t.match(unproven.report().addresses.map(({ address, known, count }) => ({ address, known, count })).sort((a, b) => a.count - b.count), [
    { address: '2001:db8:0:0::/64', known: true, count: 1 }, { address: null, known: false, count: 2 }
  ])
})

t.test('counts are kept for the next run, and nothing is reported twice', async (t) => {
  const first = setUp()
  first.accept(SENDER)
  for (const minutes of [0, 1, 2]) {
    first.time = START + minutes * MINUTE
    first.refuse(SENDER)
  }
  const second = setUp()
  second.unproven.restore(first.unproven.keep())
  second.time = first.time
  t.strictSame(second.unproven.report(), first.unproven.report())
  second.time = START + 4 * MINUTE
  second.refuse(SENDER)
  t.match(second.unproven.report().refused, [{ from: 'known', triesUsed: 4, since: START }])
  t.strictSame(second.log.lines, [])
})

t.test('observations made while the clock was ahead delay no alarm', async (t) => {
  const setting = setUp()
  const { unproven, log, refuse, accept } = setting
  setting.time = START + 100 * DAY
  accept(SENDER)
  refuse(SENDER)
  for (const minutes of [0, 1, 2]) {
    setting.time = START + minutes * MINUTE
    refuse(SENDER)
    // The service does this every few seconds.
    unproven.keep()
  }
  t.match(log.find('unproven webhooks refused from a known address'), [{ triesUsed: 3, count: 3, since: '2026-01-31T00:00:00.000Z' }])
})
