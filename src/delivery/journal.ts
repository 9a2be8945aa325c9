import type { BreakerState } from './circuit-breaker.js'
import type { Delivery, NewDelivery, Verdict } from './delivery.js'
import type { Order, OutcomeResult } from './forwarder.js'

/** The result of an `append`. A duplicate has the id and verdict of the delivery that was stored before. */
export interface Appended {
  readonly status: 'stored' | 'duplicate'
  readonly id: string
  readonly verdict: Verdict
}

/**
 * The durable record of what was accepted. There are several engines, and each passes the same contract tests. The interface has no cursors,
 * locks or leases, so that an engine shared by several processes fits too.
 */
export interface Journal {
  /**
   * Resolves when the delivery is on disk, or was found to be stored already.
   * @throws {Problem} JOURNAL_UNAVAILABLE if it cannot be stored in time. It is then not stored at all.
   */
  append: (delivery: NewDelivery) => Promise<Appended>
  /** Opens the feed of one forwarder. The journal keeps the forwarder's progress under its name. */
  openFeed: (options: FeedOptions) => Promise<Feed>
  /** Resolves when everything settled before is on disk. Idempotent. */
  close: () => Promise<void>
}

export interface FeedOptions {
  readonly forwarder: string
  readonly order: Order
  /** Where a forwarder begins that is new to the journal: at what is accepted from now on, or at the oldest delivery that is stored. */
  readonly start: 'now' | 'beginning'
  /** The forwarder's filter as text, for an operator's replays. If absent, the forwarder wants everything. */
  readonly filter?: string | undefined
  /** Called when there may be more to claim. Never called during another call of the feed. */
  readonly onWork: () => void
  /**
   * Called when this feed gives out no more claims, because another replica may lead the forwarder. With `lost` the pump must stop at once, with
   * `yield` after the attempts under way.
   */
  readonly onLost?: ((how: 'lost' | 'yield') => void) | undefined
  /** Called when an operator has paused or resumed the forwarder through another process. */
  readonly onPaused?: ((paused: boolean) => void) | undefined
}

/** A delivery given out for an attempt. It is not given out again until it is settled or the feed is closed. */
export interface Claim {
  readonly delivery: Delivery
  /** The number of the attempt that is due, from 1. */
  readonly attempt: number
  readonly replay: boolean
  /** Whether an operator forwards the delivery although the forwarder's filter does not let it through. */
  readonly forced?: boolean
  /** How long the delivery has been retried so far, in milliseconds of the monotonic clock. */
  readonly waitedMs: number
}

export interface Claims {
  readonly claims: readonly Claim[]
  /** Milliseconds until the next claim is due. `undefined` if something other than time must happen first. */
  readonly dueInMs?: number
}

/** What is to be stored about an attempt. `skipped`: the forwarder's filter does not let the delivery through. */
export interface Settlement {
  readonly claim: Claim
  readonly result:
    | { readonly status: 'skipped' }
    /** Given back without an attempt. */
    | { readonly status: 'returned' }
    | Extract<OutcomeResult, { status: 'forwarded' | 'dead' }>
    | { readonly status: 'retry', readonly reason: string, readonly delayMs: number }
  /** The attempt to record. If absent, no attempt is recorded. */
  readonly record?: AttemptRecord
}

export interface AttemptRecord {
  /** Wall-clock time, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
}

export interface Feed {
  /** Whether the forwarder was paused by an operator when the feed was opened. */
  readonly paused: boolean
  /** The position that was settled last; `null` if there is none. */
  readonly position: string | null
  /**
   * Gives out up to `limit` deliveries that are due. A delivery is not given out while an earlier one of its lane is unfinished. Deliveries in
   * quarantine and damaged records are never given out. Deliveries that are already in memory are returned at once, without a promise.
   */
  claim: (limit: number) => Claims | Promise<Claims>
  /**
   * Takes effect at once, and resolves when it is on disk. All settlements of one call, and the position, are written together. A settlement
   * that cannot be written yet is kept and written with the next.
   */
  settle: (settlements: readonly Settlement[], position?: string) => Promise<void>
  /** Stores whether the circuit breaker has paused the forwarder, so that operators can see it. Written like a settlement. */
  noteBreaker: (state: BreakerState) => Promise<void>
  close: () => Promise<void>
}
