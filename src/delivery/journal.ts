import type { BreakerState } from './circuit-breaker.js'
import type { Delivery, NewDelivery, Verdict } from './delivery.js'
import type { Order, OutcomeResult } from './forwarder.js'

/** What became of an `append`. A duplicate carries the id and verdict of the delivery that was stored already. */
export interface Appended {
  readonly status: 'stored' | 'duplicate'
  readonly id: string
  readonly verdict: Verdict
}

/**
 * The durable record of what was accepted. Engines differ in where they keep it; each passes the same contract tests.
 * The interface says nothing of cursors, locks or leases, so that an engine shared by several processes fits it too.
 */
export interface Journal {
  /**
   * Resolves once the delivery is on disk, or is found to be stored already.
   * @throws {Problem} JOURNAL_UNAVAILABLE when it can't be stored in time; it is then not stored at all.
   */
  append: (delivery: NewDelivery) => Promise<Appended>
  /** Opens the reading side for one forwarder. Its progress is kept under the forwarder's name. */
  openFeed: (options: FeedOptions) => Promise<Feed>
  /** Idempotent. Everything settled before is on disk when it resolves. */
  close: () => Promise<void>
}

export interface FeedOptions {
  readonly forwarder: string
  readonly order: Order
  /** Where a forwarder begins that the journal does not know yet. */
  readonly start: 'now' | 'beginning'
  /** What the forwarder wants, as text, for an operator's replays; everything where absent. */
  readonly filter?: string | undefined
  /** Called when there may be more to claim. Never called from within another call of the feed. */
  readonly onWork: () => void
  /** Called once this feed hands out nothing more, because somebody else may lead the forwarder: at once, or after what is under way (`yield`). */
  readonly onLost?: ((how: 'lost' | 'yield') => void) | undefined
  /** Called when an operator has paused or resumed the forwarder in another process. */
  readonly onPaused?: ((paused: boolean) => void) | undefined
}

/** A delivery handed out for an attempt. Nobody else gets it until it is settled or the feed is closed. */
export interface Claim {
  readonly delivery: Delivery
  /** The number of the attempt that is due, from 1. */
  readonly attempt: number
  readonly replay: boolean
  /** Whether an operator sends it although the forwarder's filter would pass it over. */
  readonly forced?: boolean
  /** How long it has been retried so far, in milliseconds of the monotonic clock. */
  readonly waitedMs: number
}

export interface Claims {
  readonly claims: readonly Claim[]
  /** Milliseconds until the next claim falls due, where nothing but time is in the way. */
  readonly dueInMs?: number
}

/** What is to be kept of an attempt. `skipped`: the forwarder does not want deliveries of its kind. */
export interface Settlement {
  readonly claim: Claim
  readonly result:
    | { readonly status: 'skipped' }
    /** Given back without an attempt. */
    | { readonly status: 'returned' }
    | Extract<OutcomeResult, { status: 'forwarded' | 'dead' }>
    | { readonly status: 'retry', readonly reason: string, readonly delayMs: number }
  /** The attempt as it is to be recorded, if it is. */
  readonly record?: AttemptRecord
}

export interface AttemptRecord {
  /** Wall-clock time, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
}

export interface Feed {
  /** Whether an operator had paused the forwarder when this was opened. */
  readonly paused: boolean
  /** The position that was settled last; `null` when there is none. */
  readonly position: string | null
  /**
   * Hands out up to `limit` deliveries that are due: none whose lane holds an earlier delivery that is not finished.
   * Deliveries in quarantine and damaged records are never among them. What is in memory is handed out at once, without a promise.
   */
  claim: (limit: number) => Claims | Promise<Claims>
  /**
   * Takes effect at once, and resolves when it is on disk; all settlements of one call, and the position, go to disk together.
   * A settlement that can't be written yet is kept and written with the next.
   */
  settle: (settlements: readonly Settlement[], position?: string) => Promise<void>
  /** Keeps, for people to see, whether the forwarder is paused by its circuit breaker. Goes to disk like a settlement. */
  noteBreaker: (state: BreakerState) => Promise<void>
  close: () => Promise<void>
}
