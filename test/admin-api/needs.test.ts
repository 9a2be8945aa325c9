import t from 'tap'
import { findNeeds, type NeedSources } from '../../src/admin-api/needs.js'
import { createHistory } from '../../src/history/history.js'

const now = Date.parse('2026-01-31T08:00:00Z')
const known = { addedAt: 0, cursor: 0, pending: 0, retrying: 0, dead: 0, oldestReceivedAt: null, breaker: 'closed', paused: false } as const
const well: NeedSources = {
  reasons: [],
  store: { forwarders: [{ ...known, name: 'crm' }], quarantined: 0 },
  running: [{ name: 'crm', breakerState: () => 'closed', isPaused: () => false }],
  failingSince: () => undefined,
  retryBudget: { sources: [] },
  missingEvents: { expectations: [{ expectation: '*', withinMs: 1000, lastAt: null, ageMs: 0, missing: false }] },
  webhookStatus: { failure: null, checks: [{ check: 'active', state: 'ok', detail: 'It is on.', since: '2026-01-31T07:00:00Z' }] },
  now
}
const texts = (sources: Partial<NeedSources>): string[] => findNeeds({ ...well, ...sources }).map(({ text }) => text)

t.test('a healthy service has nothing that needs an operator', async (t) => { t.strictSame(findNeeds(well), []) })

t.test('things that need an operator are described in words, the most urgent first', async (t) => {
  t.strictSame(texts({
    reasons: ['the disk is full'],
    store: { quarantined: 16, forwarders: [{ ...known, name: 'crm', dead: 1 }, { ...known, name: 'gifts', dead: 39 }, { ...known, name: 'old', pending: 1 }, { ...known, name: 'older', retrying: 2 }] },
    running: [{ name: 'crm', breakerState: () => 'open', isPaused: () => true }, { name: 'gifts', breakerState: () => 'closed', isPaused: () => false }],
    retryBudget: {
      sources: [{
        sourceId: 'wh_1', proven: true, triesUsed: 3, triesAllowed: 12, failedEvents: 1, firstFailureAt: '2026-01-31T07:00:00Z', lastFailureAt: '2026-01-31T07:30:00Z', disabledAt: null, lastCode: 'X', recovered: false
      }]
    },
    missingEvents: { expectations: [{ expectation: 'a.*', withinMs: 1, lastAt: '2026-01-30T07:00:00Z', ageMs: 2, missing: true }, { expectation: 'b.*', withinMs: 1, lastAt: null, ageMs: 2, missing: true }] },
    webhookStatus: { failure: { reason: 'no', since: '2026-01-31T07:00:00Z' }, checks: [{ check: 'active', state: 'wrong', detail: 'It is switched off.', since: '2026-01-31T07:00:00Z' }] }
  }), [
    'the service is not ready: the disk is full',
    'the webhook at Voucherify is wrong: It is switched off.',
    'the state of the webhook at Voucherify is unknown',
    'crm is down',
    'wh_1 has used 3 of Voucherify\'s 12 tries',
    'crm has 1 dead letter',
    'gifts has 39 dead letters',
    'a.* is missing',
    'b.* is missing',
    '16 deliveries are in quarantine',
    'crm is paused',
    '1 delivery waits for old, which is not configured',
    '2 deliveries wait for older, which is not configured'
  ])
  t.strictSame(texts({ store: undefined }), ['the store cannot be read'], 'an unknown state is reported')
  t.strictSame(texts({ store: { forwarders: [], quarantined: 1 } }), ['1 delivery is in quarantine'])
})

t.test('a forwarder that no replica leads is named, with the home that it waits for', async (t) => {
  const needs = (led: { readonly leader: string | null, readonly home?: string }): string[] => texts({ store: { forwarders: [{ ...known, ...led, name: 'crm' }], quarantined: 0 } })
  t.strictSame(needs({ leader: null }), ['crm runs on no replica'])
  t.strictSame(needs({ leader: null, home: 'one' }), ['crm runs on no replica: its home one is away'])
  t.strictSame(needs({ leader: 'two' }), [])
})

t.test('a destination is down after a minute without a success, and up after the first success', async (t) => {
  let time = now
  const history = createHistory({ now: () => time, forwarderNames: ['crm'] })
  const end = (counts: { forwarded?: number, retry?: number, dead?: number }): void => {
    history.observer.attemptsEnded?.({ forwarder: 'crm', durationMs: 1, counts: { forwarded: 0, retry: 0, dead: 0, ...counts }, last: { status: 'retry' } })
  }
  const needs = () => findNeeds({ ...well, failingSince: history.failingSince, now: time })
  end({ retry: 1 })
  time += 60_000
  end({ retry: 2 })
  t.strictSame(needs(), [])
  time += 1
  t.match(needs(), [{ kind: 'destination down', forwarder: 'crm', since: '2026-01-31T08:00:00.000Z' }])
  end({ retry: 1, forwarded: 1 })
  t.strictSame(needs(), [])
  end({ retry: 1 })
  time += 61_000
  t.match(needs(), [{ since: '2026-01-31T08:01:00.001Z' }])
  end({ dead: 1 })
  t.strictSame(needs(), [], 'a destination that refuses an event for good is not down')
})
