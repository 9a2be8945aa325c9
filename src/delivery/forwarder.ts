import type { Delivery } from './delivery.js'

/** One try of one delivery at one forwarder. */
export interface Attempt {
  readonly delivery: Delivery
  /** From 1. A replay starts at 1 again. */
  readonly number: number
  /** Whether a person asked for this delivery to be forwarded again. */
  readonly replay: boolean
}

/** What became of an attempt. */
export type Outcome =
  & OutcomeResult
  /** How the destination put it. Kept with the attempt, and never logged: it may hold what was sent. */
  & { readonly answer?: string }

export type OutcomeResult =
  | { readonly status: 'forwarded', readonly detail?: string }
  /** To be tried again, no sooner than `afterMs` milliseconds from now where the destination said so. */
  | { readonly status: 'retry', readonly reason: string, readonly afterMs?: number }
  /** Never to be tried again by itself: it becomes a dead letter. */
  | { readonly status: 'dead', readonly reason: string }

export interface ForwardContext {
  /** Aborted when the time for the attempt is over, or when the service must stop at once. It is made when it is first read. */
  readonly signal: AbortSignal
  /** Calls a function when `signal` aborts, with its reason, and without the signal, which costs as much as the rest of a quick attempt. */
  readonly onAbort?: (listener: (reason: unknown) => void) => void
}

export interface ForwardResult {
  /** One outcome an attempt, in the order of the attempts. */
  readonly outcomes: readonly Outcome[]
  /**
   * Where the forwarder stands now. It is committed in the same transaction as the outcomes and handed to `start` after a
   * restart: a forwarder that can go back to a position passes each delivery on exactly once.
   */
  readonly position?: string
}

/**
 * - `none`: any order, any number at once.
 * - `customer`: deliveries of the same customer one after another, in the order of arrival.
 * - `arrival`: all one after another. A failure holds everything behind it until it has gone through.
 */
export type Order = 'none' | 'customer' | 'arrival'

export interface StartContext {
  /**
   * Which of these deliveries, by id, the forwarder has yet to finish, and so will be handed. What it has passed on beyond the position
   * and is not among them is not in the journal any more, or never was: the journal may be an older one than the forwarder's destination.
   */
  readonly unfinished: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

/** Passes deliveries on to one destination. Everything that it throws is a failed attempt and nothing more. */
export interface Forwarder {
  readonly name: string
  readonly order: Order
  /** The most calls of `forward` at once: 1 where `order` is `arrival`. */
  readonly concurrency: number
  /** The most attempts in one call of `forward`. Where it is more than one, calls that are not full begin at least 25 ms apart. */
  readonly batchSize: number
  /** How long one call of `forward` may take, in milliseconds. */
  readonly timeoutMs: number
  /** How long a delivery is retried before it becomes a dead letter, in milliseconds; the configured time if absent. */
  readonly giveUpMs?: number
  /** Whether successful attempts are recorded one by one, and not only those that failed and those of replays. */
  readonly recordsSuccess?: boolean
  /**
   * Called once, before any forwarder of the service is started. Where it rejects, the service does not start: what the forwarder needs
   * for itself alone is another's.
   */
  claim?: () => Promise<void>
  /** Called once, before the first `forward`, with the position committed last; `null` when there is none. */
  start?: (position: string | null, context?: StartContext) => Promise<void>
  forward: (attempts: readonly Attempt[], context: ForwardContext) => Promise<ForwardResult>
  /** Tries whether the destination can be reached, without passing anything on. Rejects where it can't. */
  check?: (signal: AbortSignal) => Promise<void>
  close?: (end?: ForwarderEnd) => Promise<void>
}

export interface ForwarderEnd {
  /** Whether all outcomes, and the position, are on disk. What is not may yet be forwarded again after the next start. */
  readonly settled: boolean
}
