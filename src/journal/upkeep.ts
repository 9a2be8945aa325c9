import type { Logger } from 'pino'
import type { Pruned } from '../delivery/operator-requests.js'
import type { PruneOptions } from './engine.js'
import { pause } from '../delivery/within.js'

const PRUNE_EVERY_MS = 60_000
const PRUNE_STEP = 200
const PRUNE_PAUSE_MS = 50

export interface Retention {
  /** How long finished deliveries are kept, in milliseconds. */
  readonly maxAgeMs: number
  /** How long deliveries stay in quarantine before they are removed, in milliseconds; 0 keeps them. */
  readonly quarantineMaxAgeMs?: number
  /** The largest size of the store, in bytes; 0 sets no limit. */
  readonly maxBytes: number
}

export interface UpkeepOptions {
  readonly now: () => number
  readonly logger: Logger
  readonly dedupeWindowMs: number
  /** Whether the wall clock can be trusted now. */
  readonly isClockSteady: () => boolean
  readonly retention: Retention
  /** Called with the number of quarantined deliveries evicted because the quarantine's share of the store was full. */
  readonly onEvicted?: ((count: number) => void) | undefined
  /** Whether this process does the upkeep. */
  readonly leads: () => boolean
  readonly prune: (options: PruneOptions) => Promise<Pruned>
  readonly signal: AbortSignal
}

/** Prunes the journal once a minute, until the signal aborts. */
export function startUpkeep (options: UpkeepOptions): void {
  repeat(PRUNE_EVERY_MS, async () => { await pruneAll(options) }, options)
}

/** Repeats the work until the signal aborts. Each pause begins when the last run has ended. */
export function repeat (everyMs: number, work: () => Promise<void>, { logger, signal }: Pick<UpkeepOptions, 'logger' | 'signal'>): void {
  pause(everyMs, signal)
    .then(async () => { if (!signal.aborted) await work() })
    .catch((error: unknown) => { if (!signal.aborted) logger.error({ err: error }, 'journal upkeep failed') })
    .finally(() => { if (!signal.aborted) repeat(everyMs, work, { logger, signal }) })
}

/** Removes what retention does not keep, in small steps, so that webhooks can be stored between them. */
export async function pruneAll ({ now, isClockSteady, logger, dedupeWindowMs, retention, leads, prune, onEvicted, signal }: UpkeepOptions): Promise<void> {
  let removed = 0
  let evicted = 0
  for (let after: number | undefined = 0; after !== undefined && leads() && !signal.aborted;) {
    const time = now()
    // While the clock may be wrong, nothing counts as too old.
    const before = (ageMs: number): number => isClockSteady() && ageMs > 0 ? time - ageMs : -Infinity
    const step: Pruned = await prune({
      now: time,
      receivedBefore: before(retention.maxAgeMs),
      quarantinedBefore: before(retention.quarantineMaxAgeMs ?? 0),
      maxBytes: retention.maxBytes,
      keysBefore: before(dedupeWindowMs),
      limit: PRUNE_STEP,
      after
    })
    removed += step.removed
    evicted += step.evicted
    after = step.next
    if (after !== undefined) await pause(PRUNE_PAUSE_MS, signal)
  }
  if (removed > 0) logger.info({ removed }, 'journal pruned')
  if (evicted === 0) return
  logger.error({ evicted, advice: 'release or discard what is in quarantine, or raise RETENTION_MAX_BYTES' }, 'quarantine full, its oldest deliveries removed')
  onEvicted?.(evicted)
}
