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
import { createReading } from './reading.js'
import { reportDrift, reportMissingEvents, reportRetryBudget } from '../sender-watch/report.js'
import type { Drift, MissingEvents, RetryBudget } from '../sender-watch/reports.js'
import type { Expectation } from '../sender-watch/missing-events.js'

export interface WatchOptions extends Pick<ReadinessOptions, 'isStopping' | 'journal'> {
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly version: string
  /** How many secrets are configured. */
  readonly secrets: number
  readonly diskFreeMinBytes: number
  readonly expectations: readonly Expectation[]
  /** Where what was noticed of the sender is kept. */
  readonly observations: ObservationsStore
  /** Whether it is this one of several replicas that raises alarms. */
  readonly leads: () => boolean
  /** How the store is; it may take long. */
  readonly store: () => Promise<StoreFacts>
  /** The configured forwarders; their names never change. */
  readonly forwarders: () => readonly ForwarderState[]
  /** The names of the configured forwarders. */
  readonly forwarderNames: readonly string[]
  /** How the webhook stands at the sender, as far as it is asked from here. */
  readonly webhookStatus: () => WebhookStatus
  /** Whether anybody can ask for metrics. */
  readonly metrics: boolean
}

/** All that looks at the service from the side: whether it is ready, what it counts, and what it tells people of. */
export interface Watch {
  readonly observer: Observer
  /** Why no webhook should be sent here now; empty where one may. */
  readonly readiness: () => Promise<readonly string[]>
  readonly disk: DiskSpace
  /** How the store is, as it was some seconds ago; `undefined` where it cannot tell in time. */
  readonly store: () => Promise<StoreFacts | undefined>
  readonly metrics: Pick<Metrics, 'contentType' | 'text'> | undefined
  readonly drift: () => Drift
  /** Forgets what drift was met, and returns how many differences it was. */
  readonly resetDrift: () => number
  readonly retryBudget: () => RetryBudget
  readonly missingEvents: () => MissingEvents
  /** The same, as whoever asks has told. */
  readonly webhookStatus: () => WebhookStatus
  readonly history: () => HistoryReport
  /** Since when none of a forwarder's attempts has succeeded, in milliseconds since the epoch; `undefined` where the last one did. */
  readonly failingSince: (forwarder: string) => number | undefined
  /** Goes on with what was noticed in earlier runs, and begins to keep it. To be called before the first webhook comes. */
  readonly start: () => Promise<void>
  /** Idempotent. */
  readonly close: () => Promise<void>
}

/** How the store is told to whoever asks for metrics, at most so often; counting a long backlog takes its time. */
const STORE_FRESH_MS = 5000
const STORE_LIMIT_MS = 2000
/** How often the history is told how long the backlogs are. */
const BACKLOG_EVERY_MS = 10_000
/** How long a start waits for a disk that does not answer. */
const READ_LIMIT_MS = 1000

/** @returns what is to be told of everything that happens, and asked about it */
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
  const store = createReading({ read: options.store, freshMs: STORE_FRESH_MS, limitMs: STORE_LIMIT_MS, monotonic })
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
        // What others have switched on, they count themselves.
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

/** Without what was noticed before the service works as well: a damaged file is begun anew. */
async function readEarlier<T> (where: Readonly<Record<string, string>>, read: () => Promise<T>, logger: Logger): Promise<T | undefined> {
  try {
    return await inTime(READ_LIMIT_MS, read(), () => new Error('The disk does not answer'))
  } catch (error) {
    logger.warn({ err: error, ...where }, 'what was noticed is not readable: begun anew')
    return undefined
  }
}
