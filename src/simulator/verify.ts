import type { Acknowledged } from './acknowledged.js'
import { pause, type Clock } from './clock.js'
import type { Downstream } from './downstream.js'

/** What arrived downstream of the events that were acknowledged. */
export interface Verification {
  /** The place that was examined. */
  readonly downstream: string
  /** Whether every event was found exactly once. */
  readonly complete: boolean
  /** Events that should have arrived. */
  readonly lookedFor: number
  readonly foundOnce: number
  readonly missing: number
  readonly foundMoreThanOnce: number
  /** Acknowledged, but put into quarantine as invalid, and so not looked for. */
  readonly quarantined: number
  /** Acknowledged, but without an id to look for. */
  readonly nameless: number
  /** The time from the beginning of the verification to its end, in milliseconds. */
  readonly elapsedMs: number
  /** The first few of them. */
  readonly missingEvents: readonly string[]
  readonly repeatedEvents: readonly string[]
}

export interface VerifyOptions {
  readonly downstream: Downstream
  readonly acknowledged: Acknowledged
  /** How long to wait for events to arrive, in milliseconds. */
  readonly withinMs: number
  readonly clock: Clock
  /** Ends the wait. Events found by then count. */
  readonly signal: AbortSignal
  readonly onLook?: (found: number, of: number) => void
}

const pauseMs = 200
const maxNamed = 20

/**
 * Waits until every acknowledged event has arrived downstream, or the time is over. The result comes from one last look at everything,
 * because lines seen earlier may have been cut off and written again.
 * @throws {DownstreamError} if the downstream cannot be examined
 */
export async function verify ({ downstream, acknowledged, withinMs, clock, signal, onLook }: VerifyOptions): Promise<Verification> {
  const begunAt = clock.monotonic()
  const { ledger } = acknowledged
  for (;;) {
    await downstream.look(acknowledged, { again: false, signal })
    const over = signal.aborted || clock.monotonic() - begunAt >= withinMs
    if (over || ledger.counts().missing === 0) {
      if (!signal.aborted) await downstream.look(acknowledged, { again: true, signal })
      if (over || ledger.counts().missing === 0) break
    }
    const { acknowledged: of, missing } = ledger.counts()
    onLook?.(of - missing, of)
    await pause(clock, pauseMs, signal)
  }
  const counts = ledger.counts()
  return {
    downstream: downstream.name,
    complete: counts.missing === 0 && counts.repeated === 0 && acknowledged.nameless === 0,
    lookedFor: counts.acknowledged,
    foundOnce: counts.foundOnce,
    missing: counts.missing,
    foundMoreThanOnce: counts.repeated,
    quarantined: acknowledged.quarantined,
    nameless: acknowledged.nameless,
    elapsedMs: clock.monotonic() - begunAt,
    missingEvents: ledger.first('missing', maxNamed).map(index => {
      const reason = downstream.explain?.(index)
      return reason === undefined ? acknowledged.nameOf(index) : `${acknowledged.nameOf(index)}: ${reason}`
    }),
    repeatedEvents: ledger.first('repeated', maxNamed).map(index => acknowledged.nameOf(index))
  }
}
