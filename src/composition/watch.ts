import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import type { Observer } from '../delivery/observation.js'
import { inTime } from '../delivery/within.js'
import type { WebhookStatus } from '../sender-watch/webhook-status.js'
import { createDiskSpace, type DiskSpace } from './disk-space.js'
import { createHistory } from '../history/history.js'
import { historyPath, keepHistory, readHistory } from '../history/history-file.js'
import { reportHistory, type HistoryReport } from '../history/report-history.js'
import type { ForwarderState } from '../metrics/forwarder-metrics.js'
import { createMetrics, type Metrics, type StoreFacts } from '../metrics/metrics.js'
import { keepObservations } from '../sender-watch/keep-observations.js'
import type { ObservationsStore } from '../sender-watch/observations-store.js'
import { createObserved } from '../sender-watch/observed.js'
import { createReadiness, type ReadinessOptions } from './readiness.js'
import { createCachedRead } from './cached-read.js'
import { reportDrift, reportMissingEvents, reportRetryBudget } from '../sender-watch/report.js'
import type { Drift, MissingEvents, RetryBudget } from '../sender-watch/reports.js'
import type { Expectation } from '../sender-watch/missing-events.js'

export interface WatchOptions extends Pick<ReadinessOptions, 'isStopping' | 'journal'> {
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly version: string
  /** The number of configured secrets. */
  readonly secrets: number
  readonly diskFreeMinBytes: number
  readonly expectations: readonly Expectation[]
  /** Stores what was observed about the sender. */
  readonly observations: ObservationsStore
  /** Whether this replica is the one that raises alarms. */
  readonly leads: () => boolean
  /** Reads the state of the store. May take long. */
  readonly store: () => Promise<StoreFacts>
  /** The configured forwarders. Their names never change. */
  readonly forwarders: () => readonly ForwarderState[]
  /** The names of the configured forwarders. */
  readonly forwarderNames: readonly string[]
  /** The webhook's state at the sender, as far as this process asks for it. */
  readonly webhookStatus: () => WebhookStatus
  /** Whether metrics are served. */
  readonly metrics: boolean
}

/** Watches the service without being part of its work: readiness, metrics, observations about the sender, and history. */
export interface Watch {
  readonly observer: Observer
  /** Why no webhook should be sent here now; empty if webhooks are accepted. */
  readonly readiness: () => Promise<readonly string[]>
  readonly disk: DiskSpace
  /** The state of the store, at most some seconds old; `undefined` if it cannot be read in time. */
  readonly store: () => Promise<StoreFacts | undefined>
  readonly metrics: Pick<Metrics, 'contentType' | 'text'> | undefined
  readonly drift: () => Drift
  /** Forgets the drift seen so far, and returns the number of differences forgotten. */
  readonly resetDrift: () => number
  readonly retryBudget: () => RetryBudget
  readonly missingEvents: () => MissingEvents
  /** The webhook's state at the sender, as reported by the replica that asks. */
  readonly webhookStatus: () => WebhookStatus
  readonly history: () => HistoryReport
  /** Since when none of the forwarder's attempts has succeeded, in milliseconds since the epoch; `undefined` if the last one succeeded. */
  readonly failingSince: (forwarder: string) => number | undefined
  /** Restores what earlier runs observed, and begins to store observations. Must be called before the first webhook arrives. */
  readonly start: () => Promise<void>
  /** Idempotent. */
  readonly close: () => Promise<void>
}

/** How long the state of the store is reused, and how long reading it may take, in milliseconds. Counting a long backlog takes time. */
const STORE_FRESH_MS = 5000
const STORE_LIMIT_MS = 2000
/** How often the history gets the lengths of the backlogs, in milliseconds. */
const BACKLOG_EVERY_MS = 10_000
/** How long the start waits for a disk that does not answer, in milliseconds. */
const READ_LIMIT_MS = 1000

/** Makes the watch, whose observer must be called with everything that happens. */
export function createWatch (options: WatchOptions): Watch {
  const { dataDir, logger, clock, observations } = options
  const { now, monotonic } = clock
  const disk = createDiskSpace({ dataDir, monotonic })
  const readiness = createReadiness({ ...options, freeBytes: disk.freeBytes, floorBytes: options.diskFreeMinBytes, monotonic })
  const observed = createObserved({ ...options, now })
  const kept = keepObservations({ store: observations, observed, leads: options.leads, logger })
  const history = createHistory({ now, forwarderNames: options.forwarderNames })
  const keptHistory = keepHistory({ dataDir, logger, history })
  let looking: NodeJS.Timeout | undefined
  const store = createCachedRead({ read: options.store, freshMs: STORE_FRESH_MS, limitMs: STORE_LIMIT_MS, monotonic })
  const metrics = options.metrics ? createMetricsOf() : undefined

  function resetDrift (): number {
    const { length: differences } = observed.drift().differences
    kept.resetDrift()
    logger.info({ differences }, 'drift reset')
    return differences
  }

  async function lookAtBacklog (): Promise<void> {
    const facts = await store()
    for (const { name, pending, retrying } of facts?.forwarders ?? []) history.setBacklog(name, pending + retrying)
  }

  function createMetricsOf (): Metrics {
    return createMetrics({
      version: options.version,
      secrets: options.secrets,
      forwarderNames: options.forwarderNames,
      now,
      sources: {
        store,
        storeBytes: disk.storeBytes,
        diskFreeBytes: disk.freeBytes,
        ready: async () => (await readiness.reasons()).length === 0,
        forwarders: options.forwarders,
        drift: observed.driftTotals,
        retryBudget: observed.retryBudget,
        unproven: () => observed.unproven().refused,
        missingEvents: observed.missingEvents.states,
        // Each replica counts only the webhooks that it has switched on itself.
        webhookStatus: () => ({ ...observed.webhookStatus(), switchedOnCount: options.webhookStatus().switchedOnCount })
      }
    })
  }

  return {
    observer: {
      webhookAnswered (answer) {
        metrics?.observer.webhookAnswered?.(answer)
        history.observer.webhookAnswered?.(answer)
        observed.answered(answer)
      },
      attemptsEnded (attempts) {
        metrics?.observer.attemptsEnded?.(attempts)
        history.observer.attemptsEnded?.(attempts)
      },
      ...(metrics?.observer.quarantineEvicted === undefined ? {} : { quarantineEvicted: metrics.observer.quarantineEvicted }),
      committed (commit) {
        readiness.committed(commit)
        metrics?.observer.committed?.(commit)
      }
    },
    readiness: readiness.reasons,
    disk,
    store,
    metrics,
    drift: () => reportDrift(observed.drift()),
    resetDrift,
    retryBudget: () => reportRetryBudget(observed.retryBudget(), observed.unproven()),
    missingEvents: () => reportMissingEvents(observed.missingEvents.states()),
    webhookStatus: observed.webhookStatus,
    history: () => reportHistory(history, { now: now(), forwarderNames: options.forwarderNames }),
    failingSince: history.failingSince,
    async start () {
      const [earlier, earlierHistory] = await Promise.all([
        readEarlier(observations.where, observations.read, logger),
        readEarlier({ path: historyPath(dataDir) }, async () => await readHistory(dataDir), logger)
      ])
      if (earlierHistory !== undefined) history.restore(earlierHistory)
      if (earlier !== undefined) observed.restore(earlier)
      observed.missingEvents.start()
      kept.start()
      keptHistory.start()
      looking ??= setInterval(() => { lookAtBacklog().catch((error: unknown) => { logger.error({ err: error }, 'history failed') }) }, BACKLOG_EVERY_MS)
    },
    async close () {
      observed.missingEvents.close()
      clearInterval(looking)
      await Promise.all([kept.close(), keptHistory.close()])
      metrics?.close()
    }
  }
}

/** Reads what earlier runs stored; `undefined` if it cannot be read. The service works without it, so a damaged file is replaced. */
async function readEarlier<T> (where: Readonly<Record<string, string>>, read: () => Promise<T>, logger: Logger): Promise<T | undefined> {
  try {
    return await inTime(READ_LIMIT_MS, read(), () => new Error('The disk does not answer'))
  } catch (error) {
    logger.warn({ err: error, ...where }, 'what was noticed is not readable: begun anew')
    return undefined
  }
}
