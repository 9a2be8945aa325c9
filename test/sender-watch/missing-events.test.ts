import t from 'tap'
import type { AcceptedWebhook } from '../../src/delivery/observation.js'
import { createMissingEvents, type MissingEvents } from '../../src/sender-watch/missing-events.js'
import { captureLog } from '../support/capture-log.js'

const HOUR = 3_600_000

function event (eventType: string, sourceId: string | null = null): AcceptedWebhook {
  return { outcome: 'accepted', eventType, sourceId } as AcceptedWebhook
}

function states (missingEvents: MissingEvents): Readonly<Record<string, boolean>> {
  return Object.fromEntries(missingEvents.states().map(({ expectation, missing }) => [expectation, missing]))
}

t.test('a missing event is reported once each period, and so is its return', async (t) => {
  const log = captureLog()
  let now = 1000
  const missingEvents = createMissingEvents({ expectations: [{ pattern: '*', withinMs: HOUR }], logger: log.logger, now: () => now })
  now += HOUR - 1
  missingEvents.check()
  t.strictSame(log.lines, [])
  t.strictSame(missingEvents.states(), [{ expectation: '*', withinMs: HOUR, lastAt: null, ageMs: HOUR - 1, missing: false }])
  now += 2
  for (let count = 0; count < 3; count++) missingEvents.check()
  t.match(log.find('expected event does not come'), [{ level: 40, expectation: '*', withinMs: HOUR, ageMs: HOUR + 1, lastAt: null }])
  now += HOUR
  missingEvents.check()
  t.equal(log.find('expected event does not come').length, 2)
  missingEvents.accepted(event('any.type'))
  t.match(log.find('expected event comes again'), [{ level: 30, ageMs: 2 * HOUR + 1 }])
  t.match(missingEvents.states(), [{ lastAt: now, ageMs: 0, missing: false }])
  missingEvents.accepted(event('any.type'))
  t.equal(log.find('expected event comes again').length, 1)
})

t.test('a duplicate, or an event that is too old to be new, ends no wait for events, because it could be a captured one', async (t) => {
  let now = 0
  const missingEvents = createMissingEvents({ expectations: [{ pattern: '*', withinMs: HOUR }], logger: captureLog().logger, now: () => now })
  now = 2 * HOUR
  missingEvents.accepted({ ...event('any.type'), outcome: 'duplicate' })
  missingEvents.accepted({ ...event('any.type'), late: true, quarantined: true })
  t.match(missingEvents.states(), [{ missing: true, lastAt: null }])
  missingEvents.accepted({ ...event('any.type'), quarantined: true, verdict: 'invalid' })
  t.match(missingEvents.states(), [{ missing: false, lastAt: now }])
})

t.test('an expectation is for a type, for all types that match a pattern, or for a source', async (t) => {
  const patterns = ['customer.loyalty.tier.left', 'customer.*.tier.*', 'campaign.*', 'source:distr_1']
  let now = 0
  const missingEvents = createMissingEvents({ expectations: patterns.map((pattern) => ({ pattern, withinMs: 10 })), logger: captureLog().logger, now: () => now })
  now = 100
  missingEvents.accepted(event('customer.loyalty.tier.left'))
  t.strictSame(states(missingEvents), { 'customer.loyalty.tier.left': false, 'customer.*.tier.*': false, 'campaign.*': true, 'source:distr_1': true })
  missingEvents.accepted(event('campaign.x', 'distr_1'))
  t.strictSame(states(missingEvents), { 'customer.loyalty.tier.left': false, 'customer.*.tier.*': false, 'campaign.*': false, 'source:distr_1': false })
  now = 200
  missingEvents.accepted(event('customer_loyalty_tier_left', 'distr_10'))
  t.notOk(Object.values(states(missingEvents)).includes(false))
})

t.test('the time of the last event survives a restart, and so does the time since when one is expected', async (t) => {
  const expectations = [{ pattern: 'a', withinMs: 10 }, { pattern: 'b', withinMs: 10 }]
  const first = createMissingEvents({ expectations, logger: captureLog().logger, now: () => 5 })
  first.accepted(event('a'))
  const log = captureLog()
  const second = createMissingEvents({ expectations: [...expectations, { pattern: 'c', withinMs: 10 }], logger: log.logger, now: () => 100 })
  second.restore(first.keep())
  second.check()
  t.match(second.states(), [{ lastAt: 5, ageMs: 95 }, { lastAt: null, ageMs: 95 }, { lastAt: null, ageMs: 0 }])
  t.strictSame(log.find('expected event does not come').map(({ expectation }) => expectation), ['a', 'b'])
})

t.test('the check runs by itself until it is closed', async (t) => {
  let told = (): void => {}
  const log = captureLog()
  const warned = new Promise<void>((resolve) => { told = resolve })
  log.on('expected event does not come', () => { told() })
  const missingEvents = createMissingEvents({ expectations: [{ pattern: '*', withinMs: 10 }], logger: log.logger, now: Date.now })
  missingEvents.start()
  missingEvents.start()
  await warned
  missingEvents.close()
  t.match(missingEvents.states(), [{ missing: true }])
})

t.test('a clock that was ahead does not hide missing events afterwards, neither in one run nor by the kept times', async (t) => {
  const expectations = [{ pattern: 'came', withinMs: HOUR }, { pattern: 'never came', withinMs: HOUR }]
  let now = 1000 * HOUR
  const log = captureLog()
  const first = createMissingEvents({ expectations, logger: log.logger, now: () => now })
  first.accepted(event('came'))
  const kept = first.keep()
  now = HOUR
  const second = createMissingEvents({ expectations, logger: log.logger, now: () => now })
  second.restore(kept)
  for (const each of [first, second]) each.check()
  t.strictSame(log.lines, [])
  now = 2 * HOUR + 1
  for (const each of [first, second]) {
    t.strictSame(states(each), { came: true, 'never came': true })
    each.check()
  }
  t.equal(log.find('expected event does not come').length, 4)
})

t.test('after a clock jumped ahead for a moment, each period is reported again', async (t) => {
  let now = 0
  const log = captureLog()
  const missingEvents = createMissingEvents({ expectations: [{ pattern: '*', withinMs: HOUR }], logger: log.logger, now: () => now })
  for (now of [1000 * HOUR, HOUR / 2, HOUR + 1, 2 * HOUR + 1]) missingEvents.check()
  t.match(log.find('expected event does not come').map(({ ageMs }) => ageMs), [1000 * HOUR, HOUR + 1, 2 * HOUR + 1])
})
