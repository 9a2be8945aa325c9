import { setImmediate } from 'node:timers/promises'
import { createMetrics } from '../../src/metrics/metrics.js'

/** The names under which Prometheus knows a metric's samples, with the labels of each. */
export type KnownMetrics = ReadonlyMap<string, ReadonlySet<string>>

/** What the service tells Prometheus, once everything has happened that makes a series. */
export async function knownMetrics (): Promise<KnownMetrics> {
  const metrics = createMetrics({
    version: '0.0.0',
    secrets: 1,
    forwarderNames: ['log'],
    now: Date.now,
    sources: {
      store: async () => ({
        quarantined: 0,
        forwarders: [{ name: 'log', addedAt: 0, cursor: 0, pending: 0, retrying: 0, dead: 0, oldestReceivedAt: null, breaker: 'closed', paused: false }]
      }),
      storeBytes: async () => 0,
      diskFreeBytes: async () => 0,
      ready: async () => true,
      forwarders: () => [{ name: 'log', breakerOpen: false, paused: false, leads: true }],
      drift: () => [{ eventType: 'other', kind: 'fault', count: 1 }],
      retryBudget: () => [{
        sourceId: 'distr_1', triesUsed: 1, triesAllowed: 12, failedEvents: 1, firstFailureAt: 0, lastFailureAt: 0, disabledAt: 1, lastCode: 'INTERNAL', recovered: false
      }],
      unproven: () => [],
      missingEvents: () => [{ expectation: '*', withinMs: 1, lastAt: null, ageMs: 1, missing: false }],
      webhookStatus: () => ({
        watching: true,
        askedAt: null,
        unansweredMs: 1,
        failure: null,
        checks: [{ check: 'active', state: 'ok', detail: '', since: '' }],
        switchedOn: [],
        switchedOnCount: 1,
        cannotSee: ''
      })
    }
  })
  metrics.observer.webhookAnswered?.({ outcome: 'refused', status: 401, ms: 1, code: 'SIGNATURE_WRONG', toWebhook: true, sourceAddress: '192.0.2.1', proven: undefined })
  metrics.observer.attemptsEnded?.({ forwarder: 'log', counts: { forwarded: 1, retry: 0, dead: 0 }, last: { status: 'forwarded' }, durationMs: 1 })
  metrics.observer.committed?.({ deliveries: 1, ms: 1 })
  await setImmediate()
  const known = new Map<string, Set<string>>()
  for (const line of (await metrics.text()).split('\n')) {
    const [, histogram] = /^# TYPE (\S+) histogram$/.exec(line) ?? []
    if (histogram !== undefined) for (const part of ['bucket', 'sum', 'count']) known.set(`${histogram}_${part}`, new Set())
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (name === undefined) continue
    const has = known.get(name) ?? new Set()
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) has.add(label)
    known.set(name, has)
  }
  metrics.close()
  // It has no series before the first collection of garbage.
  for (const part of ['bucket', 'sum', 'count']) known.get(`nodejs_gc_duration_seconds_${part}`)?.add('kind')
  return known
}
