import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import type { Observer } from '../delivery/observation.js'
import { inTime } from '../delivery/within.js'
import type { WebhookStatus } from '../sender-watch/webhook-status.js'
import { createDiskSpace, type DiskSpace } from './disk-space.js'
import { createHistory } from '../history/history.js'
import { historyPath, keepHistory, readHistory } from '../history/history-file.js'
import { reportHistory, type HistoryReport } from '../history/report-history.js'
import { createDrift } from '../sender-watch/drift.js'
import { watchForDriftResets } from '../sender-watch/drift-reset.js'
import type { ForwarderState } from '../metrics/forwarder-metrics.js'
import { createMetrics, type Metrics, type StoreFacts } from '../metrics/metrics.js'
import { keepObservations, observationsPath, readObservations } from '../sender-watch/observations-file.js'
import { createRetryBudget } from '../sender-watch/retry-budget.js'
import { createReadiness, type ReadinessOptions } from './readiness.js'
import { createReading } from './reading.js'
import { reportDrift, reportMissingEvents, reportRetryBudget } from '../sender-watch/report.js'
import type { Drift, MissingEvents, RetryBudget } from '../sender-watch/reports.js'
import { createMissingEvents, type Expectation } from '../sender-watch/missing-events.js'
import { createUnproven } from '../sender-watch/unproven.js'

export interface WatchOptions extends Pick<ReadinessOptions, 'isStopping' | 'journal'> {
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly version: string
  /** How many secrets are configured. */
  readonly secrets: number
  readonly diskFreeMinBytes: number
  readonly expectations: readonly Expectation[]
  /** How the store is; it may take long. */
  readonly store: () => Promise<StoreFacts>
  /** The configured forwarders; their names never change. */
  readonly forwarders: () => readonly ForwarderState[]
  /** The names of the configured forwarders. */
  readonly forwarderNames: readonly string[]
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
  const { dataDir, logger, clock } = options
  const { now, monotonic } = clock
  const disk = createDiskSpace({ dataDir, monotonic })
  const readiness = createReadiness({ ...options, freeBytes: disk.freeBytes, floorBytes: options.diskFreeMinBytes, monotonic })
  const drift = createDrift({ now })
  const retryBudget = createRetryBudget({ logger, now })
  const unproven = createUnproven({ logger, now })
  const missingEvents = createMissingEvents({ expectations: options.expectations, logger, now })
  const kept = keepObservations({
    dataDir, logger, observe: () => ({ drift: drift.report(), retryBudget: retryBudget.keep(), unproven: unproven.keep(), missingEvents: missingEvents.keep() })
  })
  const history = createHistory({ now, forwarderNames: options.forwarderNames })
  const keptHistory = keepHistory({ dataDir, logger, history })
  let looking: NodeJS.Timeout | undefined
  const resets = watchForDriftResets({ dataDir, logger, reset: resetDrift })
  const store = createReading({ read: options.store, freshMs: STORE_FRESH_MS, limitMs: STORE_LIMIT_MS, monotonic })
  const metrics = options.metrics ? createMetricsOf() : undefined

  function resetDrift (): number {
    const differences = drift.reset()
    logger.info({ differences }, 'drift reset')
    // Nobody has to wait for the disk.
    kept.save().catch((error: unknown) => { logger.error({ err: error }, 'observations failed') })
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
        drift: drift.totals,
        retryBudget: retryBudget.sources,
        unproven: () => unproven.report().refused,
        missingEvents: missingEvents.states,
        webhookStatus: options.webhookStatus
      }
    })
  }

  return {
    observer: {
      webhookAnswered (answer) {
        metrics?.observer.webhookAnswered?.(answer)
        retryBudget.answered(answer)
        unproven.answered(answer)
        history.observer.webhookAnswered?.(answer)
        if (answer.outcome === 'refused') return
        missingEvents.accepted(answer)
        drift.accepted(answer)
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
    drift: () => reportDrift(drift.report()),
    resetDrift,
    retryBudget: () => reportRetryBudget(retryBudget.sources(), unproven.report()),
    missingEvents: () => reportMissingEvents(missingEvents.states()),
    history: () => reportHistory(history, { now: now(), forwarderNames: options.forwarderNames }),
    failingSince: history.failingSince,
    async start () {
      const [earlier, earlierHistory] = await Promise.all([
        readEarlier(observationsPath(dataDir), async () => await readObservations(dataDir), logger),
        readEarlier(historyPath(dataDir), async () => await readHistory(dataDir), logger)
      ])
      if (earlierHistory !== undefined) history.restore(earlierHistory)
      if (earlier !== undefined) {
        drift.restore(earlier.drift)
        retryBudget.restore(earlier.retryBudget)
        unproven.restore(earlier.unproven)
        missingEvents.restore(earlier.missingEvents)
      }
      missingEvents.start()
      kept.start()
      keptHistory.start()
      looking ??= setInterval(() => { lookAtBacklog().catch((error: unknown) => { logger.error({ err: error }, 'history failed') }) }, BACKLOG_EVERY_MS)
      resets.start()
    },
    async close () {
      missingEvents.close()
      clearInterval(looking)
      await resets.close()
      await Promise.all([kept.close(), keptHistory.close()])
      metrics?.close()
    }
  }
}

/** Without what was noticed before the service works as well: a damaged file is begun anew. */
async function readEarlier<T> (path: string, read: () => Promise<T>, logger: Logger): Promise<T | undefined> {
  try {
    return await inTime(READ_LIMIT_MS, read(), () => new Error('The disk does not answer'))
  } catch (error) {
    logger.warn({ err: error, path }, 'what was noticed is not readable: begun anew')
    return undefined
  }
}
