import type { Delivery } from './delivery.js'

/** One attempt to forward one delivery with one forwarder. */
export interface Attempt {
  readonly delivery: Delivery
  /** The number of the attempt, from 1. A replay starts at 1 again. */
  readonly number: number
  /** Whether an operator asked for this delivery to be forwarded again. */
  readonly replay: boolean
}

/** The outcome of an attempt. */
export type Outcome =
  & OutcomeResult
  /** The destination's own words. They are kept with the attempt but never logged, because they may contain what was sent. */
  & { readonly answer?: string }

export type OutcomeResult =
  | { readonly status: 'forwarded', readonly detail?: string }
  /** To be tried again. If the destination said how long to wait, not sooner than `afterMs` milliseconds from now. */
  | { readonly status: 'retry', readonly reason: string, readonly afterMs?: number }
  /** Not to be tried again automatically: the delivery becomes a dead letter. */
  | { readonly status: 'dead', readonly reason: string }

export interface ForwardContext {
  /** Aborted when the time for the attempt is over, or when the service must stop at once. The signal is made when it is first read. */
  readonly signal: AbortSignal
  /** Calls the listener with the reason when `signal` aborts, without making the signal. Making one costs as much as the rest of a quick attempt. */
  readonly onAbort?: (listener: (reason: unknown) => void) => void
}

export interface ForwardResult {
  /** One outcome for each attempt, in the order of the attempts. */
  readonly outcomes: readonly Outcome[]
  /**
   * How far the destination has been written, in the forwarder's own format. The position is committed in the same transaction as the outcomes,
   * and passed to `start` after a restart. A forwarder that can go back to a position forwards each delivery exactly once.
   */
  readonly position?: string
}

/**
 * The order in which a forwarder gets deliveries.
 * - `none`: any order, and any number at once.
 * - `customer`: the deliveries of one customer one after another, in the order of arrival.
 * - `arrival`: all deliveries one after another. A failed delivery blocks everything behind it until it is finished.
 */
export type Order = 'none' | 'customer' | 'arrival'

export interface StartContext {
  /**
   * Returns those of the ids that the forwarder has not finished, and so will be given. A delivery that the destination has after the position,
   * and that is not among them, is no longer in the journal or never was: the journal may have been restored from an older copy.
   */
  readonly unfinished: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

/** Passes deliveries on to one destination. Whatever it throws is only a failed attempt. */
export interface Forwarder {
  readonly name: string
  readonly order: Order
  /** The most calls of `forward` at once; 1 if `order` is `arrival`. */
  readonly concurrency: number
  /** The most attempts in one call of `forward`. If it is more than 1, calls that are not full begin at least 25 ms apart. */
  readonly batchSize: number
  /** How long one call of `forward` may take, in milliseconds. */
  readonly timeoutMs: number
  /** How long a delivery is retried before it becomes a dead letter, in milliseconds. If absent, the configured time. */
  readonly giveUpMs?: number
  /** Whether every successful attempt is recorded. If not, only failed attempts and attempts of replays are recorded. */
  readonly recordsSuccess?: boolean
  /**
   * Takes what the forwarder must have for itself. Called before `start`, and rejects if another process has it. The service then does not
   * start, or, if replicas share the journal, this replica tries again later.
   */
  claim?: () => Promise<void>
  /** Called before the first `forward`, with the position that was committed last; `null` if there is none. Called again if it rejects. */
  start?: (position: string | null, context?: StartContext) => Promise<void>
  forward: (attempts: readonly Attempt[], context: ForwardContext) => Promise<ForwardResult>
  /** Tests whether the destination can be reached, without forwarding anything. Rejects if it cannot be reached. */
  check?: (signal: AbortSignal) => Promise<void>
  close?: (end?: ForwarderEnd) => Promise<void>
}

export interface ForwarderEnd {
  /** Whether all outcomes and the position are on disk. Deliveries whose outcomes are not on disk may be forwarded again after the next start. */
  readonly settled: boolean
}
