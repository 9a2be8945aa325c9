import type { Logger } from 'pino'
import type { Pruned } from '../delivery/operator-requests.js'
import type { PruneOptions } from './engine.js'
import { pause } from '../delivery/within.js'

const PRUNE_EVERY_MS = 60_000
const PRUNE_STEP = 200
const PRUNE_PAUSE_MS = 50

export interface Retention {
  /** How long what is finished is kept, in milliseconds. */
  readonly maxAgeMs: number
  /** How long what nobody releases from quarantine is kept, in milliseconds; 0 keeps it. */
  readonly quarantineMaxAgeMs?: number
  /** How large the store may be, in bytes; 0 sets no limit. */
  readonly maxBytes: number
}

export interface UpkeepOptions {
  readonly now: () => number
  readonly logger: Logger
  readonly dedupeWindowMs: number
  /** Whether the time is right, as far as can be told. */
  readonly isClockSteady: () => boolean
  readonly retention: Retention
  /** Told how many went out of quarantine because its share of the store was full. */
  readonly onEvicted?: ((count: number) => void) | undefined
  /** Whether it is this process that does it. */
  readonly leads: () => boolean
  readonly prune: (options: PruneOptions) => Promise<Pruned>
  readonly signal: AbortSignal
}

/** What the journal does again and again while it is open. Ends with the signal. */
export function startUpkeep (options: UpkeepOptions): void {
  repeat(PRUNE_EVERY_MS, async () => { await pruneAll(options) }, options)
}

/** Works now and then until the signal aborts. The next time begins only once the last is over. */
export function repeat (everyMs: number, work: () => Promise<void>, { logger, signal }: Pick<UpkeepOptions, 'logger' | 'signal'>): void {
  pause(everyMs, signal)
    .then(async () => { if (!signal.aborted) await work() })
    .catch((error: unknown) => { if (!signal.aborted) logger.error({ err: error }, 'journal upkeep failed') })
    .finally(() => { if (!signal.aborted) repeat(everyMs, work, { logger, signal }) })
}

/** Removes what retention lets go, in small steps, so that webhooks find their place between them. */
export async function pruneAll ({ now, isClockSteady, logger, dedupeWindowMs, retention, leads, prune, onEvicted, signal }: UpkeepOptions): Promise<void> {
  let removed = 0
  let evicted = 0
  for (let after: number | undefined = 0; after !== undefined && leads() && !signal.aborted;) {
    const time = now()
    // Nothing is too old by a clock that may be wrong.
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
