import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { PruneOptions, Pruned } from './protocol.js'

const REPLAY_POLL_MS = 1000
const PRUNE_EVERY_MS = 60_000
const PRUNE_STEP = 200
const PRUNE_PAUSE_MS = 50

export interface UpkeepOptions {
  readonly now: () => number
  readonly logger: Logger
  readonly dedupeWindowMs: number
  readonly retention: { readonly maxAgeMs: number, readonly maxBytes: number }
  readonly prune: (options: PruneOptions) => Promise<Pruned>
  readonly lookForReplays: () => Promise<void>
  readonly signal: AbortSignal
}

/** What the journal does again and again while it is open. Ends with the signal. */
export function startUpkeep (options: UpkeepOptions): void {
  const { logger, signal } = options
  repeat(REPLAY_POLL_MS, options.lookForReplays)
  repeat(PRUNE_EVERY_MS, async () => { await pruneAll(options) })

  /** The next time begins only once the last is over. */
  function repeat (everyMs: number, work: () => Promise<void>): void {
    pause(everyMs, signal)
      .then(async () => { if (!signal.aborted) await work() })
      .catch((error: unknown) => { if (!signal.aborted) logger.error({ err: error }, 'journal upkeep failed') })
      .finally(() => { if (!signal.aborted) repeat(everyMs, work) })
  }
}

/** Removes what retention lets go, in small steps, so that webhooks find their place between them. */
export async function pruneAll ({ now, logger, dedupeWindowMs, retention, prune, signal }: UpkeepOptions): Promise<void> {
  let removed = 0
  for (let after: number | undefined = 0; after !== undefined && !signal.aborted;) {
    const time = now()
    const step: Pruned = await prune({
      receivedBefore: time - retention.maxAgeMs, maxBytes: retention.maxBytes, keysBefore: time - dedupeWindowMs, limit: PRUNE_STEP, after
    })
    removed += step.removed
    after = step.next
    if (after !== undefined) await pause(PRUNE_PAUSE_MS, signal)
  }
  if (removed > 0) logger.info({ removed }, 'journal pruned')
}

/** Resolves after a time, or as soon as the signal aborts. */
export async function pause (ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
