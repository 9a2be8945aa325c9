import { collectDefaultMetrics, Registry } from 'prom-client'

/** The names under which Prometheus knows a metric's samples, with the labels of each. */
export type KnownMetrics = ReadonlyMap<string, ReadonlySet<string>>

const histograms: Readonly<Record<string, readonly string[]>> = {
  tierhook_webhook_duration_seconds: ['answer'],
  tierhook_journal_commit_duration_seconds: [],
  tierhook_journal_commit_deliveries: [],
  tierhook_forwarder_attempt_duration_seconds: ['forwarder'],
  nodejs_gc_duration_seconds: ['kind']
}

const others: Readonly<Record<string, readonly string[]>> = {
  tierhook_webhooks_total: ['event_type', 'verdict', 'answer'],
  tierhook_signatures_total: ['secret'],
  tierhook_journal_commit_failures_total: [],
  tierhook_quarantined_deliveries: [],
  tierhook_dead_letters: ['forwarder'],
  tierhook_forwarder_attempts_total: ['forwarder', 'outcome'],
  tierhook_forwarder_backlog_deliveries: ['forwarder'],
  tierhook_forwarder_oldest_waiting_seconds: ['forwarder'],
  tierhook_forwarder_breaker_open: ['forwarder'],
  tierhook_forwarder_paused: ['forwarder'],
  tierhook_source_tries_used: ['source_id'],
  tierhook_source_tries_allowed: [],
  tierhook_source_seconds_until_disabled: ['source_id'],
  tierhook_silence_seconds: ['expectation'],
  tierhook_silence_limit_seconds: ['expectation'],
  tierhook_drift_total: ['event_type', 'kind'],
  tierhook_store_bytes: [],
  tierhook_disk_free_bytes: [],
  tierhook_ready: [],
  tierhook_build_info: ['version']
}

/** What the service tells Prometheus. */
export async function knownMetrics (): Promise<KnownMetrics> {
  const known = new Map<string, ReadonlySet<string>>(Object.entries(others).map(([name, labels]) => [name, new Set(labels)]))
  for (const [name, labels] of Object.entries(histograms)) {
    known.set(`${name}_bucket`, new Set([...labels, 'le'])).set(`${name}_sum`, new Set(labels)).set(`${name}_count`, new Set(labels))
  }
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const { name, type } of await registry.getMetricsAsJSON()) if (String(type) !== 'histogram') known.set(name, new Set())
  registry.clear()
  return known
}
