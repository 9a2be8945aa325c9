import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import type { Observer } from '../delivery/observation.js'
import type { WebhookStatus } from '../sender-watch/webhook-status.js'
import type { DriftTotal } from '../sender-watch/drift.js'
import { createForwarderMetrics, type ForwarderState } from './forwarder-metrics.js'
import { createJournalMetrics } from './journal-metrics.js'
import type { FailedSource } from '../sender-watch/failed-source.js'
import { TRIES_ALLOWED } from '../sender-watch/sender-tries.js'
import type { ExpectationState } from '../sender-watch/missing-events.js'
import { origins, type UnprovenRefusals } from '../sender-watch/unproven.js'
import { createWebhookMetrics } from './webhook-metrics.js'
import { createWebhookStatusMetrics } from './webhook-status-metrics.js'

/** Functions that are called for each scrape. Asynchronous ones limit their own time. `undefined`: not known. */
export interface MetricSources {
  readonly store: () => Promise<StoreFacts | undefined>
  readonly storeBytes: () => Promise<number | undefined>
  readonly diskFreeBytes: () => Promise<number | undefined>
  readonly ready: () => Promise<boolean>
  /** The configured forwarders that have been started. */
  readonly forwarders: () => readonly ForwarderState[]
  readonly drift: () => Iterable<DriftTotal>
  readonly retryBudget: () => readonly FailedSource[]
  readonly unproven: () => readonly UnprovenRefusals[]
  readonly missingEvents: () => readonly ExpectationState[]
  readonly webhookStatus: () => WebhookStatus
}

export interface StoreFacts {
  readonly forwarders: readonly KnownForwarder[]
  readonly quarantined: number
}

export interface MetricsOptions {
  readonly version: string
  /** How many secrets are configured. */
  readonly secrets: number
  /** The names of the configured forwarders. */
  readonly forwarderNames: readonly string[]
  readonly sources: MetricSources
  readonly now: () => number
}

export interface Metrics {
  readonly observer: Observer
  readonly contentType: string
  /** Returns all metrics in Prometheus' text format. */
  readonly text: () => Promise<string>
  readonly close: () => void
}

/** How often the event loop's lag is sampled, in milliseconds. The library's default, 10, would wake an idle service a hundred times a second. */
const LAG_SAMPLE_MS = 250

/** Makes the metrics for Prometheus. No label takes a value that a sender can choose freely. */
export function createMetrics ({ version, secrets, forwarderNames, sources, now }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS })
  new Gauge({ name: 'tierhook_build_info', help: 'Always 1; the version of tierhook is a label.', labelNames: ['version'], registers }).set({ version }, 1)
  const webhooks = createWebhookMetrics(registry, { secrets })
  const journal = createJournalMetrics(registry)
  const forwarders = createForwarderMetrics(registry, { names: forwarderNames, now })
  const webhookStatus = createWebhookStatusMetrics(registry)

  const ready = new Gauge({ name: 'tierhook_ready', help: 'Whether webhooks would be accepted now, as /health/ready says: 1 or 0.', registers })
  const quarantined = new Gauge({ name: 'tierhook_quarantined_deliveries', help: 'Deliveries in quarantine.', registers })
  const storeBytes = new Gauge({ name: 'tierhook_store_bytes', help: 'Size of the database and its log.', registers })
  const diskFreeBytes = new Gauge({ name: 'tierhook_disk_free_bytes', help: 'Free space on the disk of the data folder.', registers })
  const triesUsed = new Gauge({ name: 'tierhook_source_tries_used', help: 'The most tries that the sender has used up on any event of a source that failed here.', labelNames: ['source_id'], registers })
  new Gauge({ name: 'tierhook_source_tries_allowed', help: 'Tries after which the sender switches a source off.', registers }).set(TRIES_ALLOWED)
  const disabledIn = new Gauge({ name: 'tierhook_source_seconds_until_disabled', help: 'Time until the sender makes its last try of the event that failed first.', labelNames: ['source_id'], registers })
  const unprovenTries = new Gauge({ name: 'tierhook_unproven_tries_used', help: 'The most tries that the sender has used up, if it made the requests that were refused without proof. from=known: from addresses that sent signed webhooks.', labelNames: ['from'], registers })
  const missingEvents = new Gauge({ name: 'tierhook_expected_event_age_seconds', help: 'Time since the last expected event came.', labelNames: ['expectation'], registers })
  const eventLimit = new Gauge({ name: 'tierhook_expected_event_limit_seconds', help: 'Time within which an event is expected.', labelNames: ['expectation'], registers })
  const drift = new Counter({ name: 'tierhook_drift_total', help: 'Places in which authentic events differed from their schemas.', labelNames: ['event_type', 'kind'], registers })

  function updateRetryBudget (): void {
    triesUsed.reset()
    disabledIn.reset()
    for (const { sourceId, triesUsed: used, disabledAt, recovered } of sources.retryBudget()) {
      if (recovered) continue
      triesUsed.set({ source_id: sourceId }, used)
      disabledIn.set({ source_id: sourceId }, Math.max(0, (disabledAt - now()) / 1000))
    }
    const unproven = sources.unproven()
    for (const from of origins) unprovenTries.set({ from }, unproven.find((each) => each.from === from)?.triesUsed ?? 0)
  }

  function updateObservations (): void {
    for (const { expectation, ageMs, withinMs } of sources.missingEvents()) {
      missingEvents.set({ expectation }, ageMs / 1000)
      eventLimit.set({ expectation }, withinMs / 1000)
    }
    drift.reset()
    for (const { eventType, kind, count } of sources.drift()) drift.inc({ event_type: eventType, kind }, count)
  }

  async function updateStore (): Promise<void> {
    const [store, bytes, free, isReady] = await Promise.all([sources.store(), sources.storeBytes(), sources.diskFreeBytes(), sources.ready()])
    ready.set(isReady ? 1 : 0)
    set(storeBytes, bytes)
    set(diskFreeBytes, free)
    set(quarantined, store?.quarantined)
    forwarders.look(sources.forwarders(), store?.forwarders)
  }

  return {
    observer: { ...webhooks.observer, ...journal, ...forwarders.observer },
    contentType: registry.contentType,
    async text () {
      webhooks.look()
      updateRetryBudget()
      updateObservations()
      webhookStatus.look(sources.webhookStatus())
      await updateStore()
      return await registry.metrics()
    },
    close () { registry.clear() }
  }
}

/** Sets a gauge. If the value is unknown, removes the gauge's series, because neither the previous value nor zero would be true. */
function set (gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove()
  else gauge.set(value)
}
