import t from 'tap'
import type { AcceptedWebhook } from '../../src/delivery/observation.js'
import { createSilence, type Silence } from '../../src/operations/silence.js'
import { captureLog } from '../support/capture-log.js'

const HOUR = 3_600_000

function event (eventType: string, sourceId: string | null = null): AcceptedWebhook {
  return { outcome: 'accepted', eventType, sourceId } as AcceptedWebhook
}

function states (silence: Silence): Readonly<Record<string, boolean>> {
  return Object.fromEntries(silence.states().map(({ expectation, silent }) => [expectation, silent]))
}

t.test('an expected event that does not come is told once each period, and that it comes again', async (t) => {
  const log = captureLog()
  let now = 1000
  const silence = createSilence({ expectations: [{ pattern: '*', withinMs: HOUR }], logger: log.logger, now: () => now })
  now += HOUR - 1
  silence.check()
  t.strictSame(log.lines, [])
  t.strictSame(silence.states(), [{ expectation: '*', withinMs: HOUR, lastAt: null, silentMs: HOUR - 1, silent: false }])
  now += 2
  for (let count = 0; count < 3; count++) silence.check()
  t.match(log.find('expected event does not come'), [{ level: 40, expectation: '*', withinMs: HOUR, silentMs: HOUR + 1, lastAt: null }])
  now += HOUR
  silence.check()
  t.equal(log.find('expected event does not come').length, 2)
  silence.accepted(event('any.type'))
  t.match(log.find('expected event comes again'), [{ level: 30, silentMs: 2 * HOUR + 1 }])
  t.match(silence.states(), [{ lastAt: now, silentMs: 0, silent: false }])
  silence.accepted(event('any.type'))
  t.equal(log.find('expected event comes again').length, 1)
})

t.test('an expectation is of a type, of all that match a pattern, or of a source', async (t) => {
  const patterns = ['customer.loyalty.tier.left', 'customer.*.tier.*', 'campaign.*', 'source:distr_1']
  let now = 0
  const silence = createSilence({ expectations: patterns.map((pattern) => ({ pattern, withinMs: 10 })), logger: captureLog().logger, now: () => now })
  now = 100
  silence.accepted(event('customer.loyalty.tier.left'))
  t.strictSame(states(silence), { 'customer.loyalty.tier.left': false, 'customer.*.tier.*': false, 'campaign.*': true, 'source:distr_1': true })
  silence.accepted(event('campaign.x', 'distr_1'))
  t.strictSame(states(silence), { 'customer.loyalty.tier.left': false, 'customer.*.tier.*': false, 'campaign.*': false, 'source:distr_1': false })
  now = 200
  silence.accepted(event('customer_loyalty_tier_left', 'distr_10'))
  t.notOk(Object.values(states(silence)).includes(false))
})

t.test('the time of the last event outlives a restart, and so does since when one is expected', async (t) => {
  const expectations = [{ pattern: 'a', withinMs: 10 }, { pattern: 'b', withinMs: 10 }]
  const first = createSilence({ expectations, logger: captureLog().logger, now: () => 5 })
  first.accepted(event('a'))
  const log = captureLog()
  const second = createSilence({ expectations: [...expectations, { pattern: 'c', withinMs: 10 }], logger: log.logger, now: () => 100 })
  second.restore(first.keep())
  second.check()
  t.match(second.states(), [{ lastAt: 5, silentMs: 95 }, { lastAt: null, silentMs: 95 }, { lastAt: null, silentMs: 0 }])
  t.strictSame(log.find('expected event does not come').map(({ expectation }) => expectation), ['a', 'b'])
})

t.test('it checks by itself until it is closed', async (t) => {
  let told = (): void => {}
  const log = captureLog()
  const warned = new Promise<void>((resolve) => { told = resolve })
  log.on('expected event does not come', () => { told() })
  const silence = createSilence({ expectations: [{ pattern: '*', withinMs: 10 }], logger: log.logger, now: Date.now })
  silence.start()
  silence.start()
  await warned
  silence.close()
  t.match(silence.states(), [{ silent: true }])
})
