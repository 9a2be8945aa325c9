import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import type { Observer } from '../delivery/observation.js'
import type { WebhookStatus } from '../sender-watch/webhook-status.js'
import { createDiskSpace, type DiskSpace } from './disk-space.js'
import { createDrift } from './drift.js'
import type { ForwarderState } from './forwarder-metrics.js'
import { createMetrics, type Metrics, type StoreFacts } from './metrics.js'
import type { Observations } from './observations.js'
import { keepObservations, observationsPath, readObservations } from './observations-file.js'
import { createPatience } from './patience.js'
import { createReadRefused } from './read-refused.js'
import { createReadiness, type ReadinessOptions } from './readiness.js'
import { createReading } from './reading.js'
import { reportDrift, reportPatience, reportSilence } from './report.js'
import type { Drift, Patience, Silence } from './reports.js'
import { createSilence, type Expectation } from './silence.js'

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
  readonly metrics: Pick<Metrics, 'contentType' | 'text'> | undefined
  readonly drift: () => Drift
  readonly patience: () => Patience
  readonly silence: () => Silence
  /** Goes on with what was noticed in earlier runs, and begins to keep it. To be called before the first webhook comes. */
  readonly start: () => Promise<void>
  /** Idempotent. */
  readonly close: () => Promise<void>
}

/** How the store is told to whoever asks for metrics, at most so often; counting a long backlog takes its time. */
const STORE_FRESH_MS = 5000
const STORE_LIMIT_MS = 2000
/** How long a start waits for a disk that does not answer. */
const READ_LIMIT_MS = 1000

/** @returns what is to be told of everything that happens, and asked about it */
export function createWatch (options: WatchOptions): Watch {
  const { dataDir, logger, clock } = options
  const { now, monotonic } = clock
  const disk = createDiskSpace({ dataDir, monotonic })
  const readiness = createReadiness({ ...options, freeBytes: disk.freeBytes, floorBytes: options.diskFreeMinBytes, monotonic })
  const drift = createDrift({ now })
  const patience = createPatience({
    logger, now, signed: options.secrets > 0, readProven: createReadRefused({ monotonic }), readUnproven: createReadRefused({ monotonic })
  })
  const silence = createSilence({ expectations: options.expectations, logger, now })
  const kept = keepObservations({ dataDir, logger, observe: () => ({ drift: drift.report(), patience: patience.keep(), silence: silence.keep() }) })
  const metrics = options.metrics ? createMetricsOf() : undefined

  function createMetricsOf (): Metrics {
    return createMetrics({
      version: options.version,
      secrets: options.secrets,
      forwarderNames: options.forwarderNames,
      now,
      sources: {
        store: createReading({ read: options.store, freshMs: STORE_FRESH_MS, limitMs: STORE_LIMIT_MS, monotonic }),
        storeBytes: disk.storeBytes,
        diskFreeBytes: disk.freeBytes,
        ready: async () => (await readiness.reasons()).length === 0,
        forwarders: options.forwarders,
        drift: drift.totals,
        patience: patience.sources,
        silence: silence.states,
        webhookStatus: options.webhookStatus
      }
    })
  }

  return {
    observer: {
      webhookAnswered (answer) {
        metrics?.observer.webhookAnswered?.(answer)
        patience.answered(answer)
        if (answer.outcome === 'refused') return
        silence.accepted(answer)
        drift.accepted(answer)
      },
      ...(metrics?.observer.attemptsEnded === undefined ? {} : { attemptsEnded: metrics.observer.attemptsEnded }),
      ...(metrics?.observer.quarantineEvicted === undefined ? {} : { quarantineEvicted: metrics.observer.quarantineEvicted }),
      committed (commit) {
        readiness.committed(commit)
        metrics?.observer.committed?.(commit)
      }
    },
    readiness: readiness.reasons,
    disk,
    metrics,
    drift: () => reportDrift(drift.report()),
    patience: () => reportPatience(patience.sources()),
    silence: () => reportSilence(silence.states()),
    async start () {
      const earlier = await readEarlier(dataDir, logger)
      if (earlier !== undefined) {
        drift.restore(earlier.drift)
        patience.restore(earlier.patience)
        silence.restore(earlier.silence)
      }
      silence.start()
      kept.start()
    },
    async close () {
      silence.close()
      await kept.close()
      metrics?.close()
    }
  }
}

/** Without what was noticed before the service works as well: a damaged file is begun anew. */
async function readEarlier (dataDir: string, logger: Logger): Promise<Observations | undefined> {
  let limit: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => { limit = setTimeout(() => { reject(new Error('The disk does not answer')) }, READ_LIMIT_MS) })
  try {
    return await Promise.race([readObservations(dataDir), timeout])
  } catch (error) {
    logger.warn({ err: error, path: observationsPath(dataDir) }, 'observations not readable: begun anew')
    return undefined
  } finally {
    clearTimeout(limit)
  }
}
