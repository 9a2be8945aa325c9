import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery } from '../delivery/delivery.js'
import type { AttemptRecord } from '../delivery/journal.js'
import type { Change } from './schedule.js'

/** What was kept of a forwarder's progress. */
export interface Progress {
  readonly cursor: number
  readonly position: string | null
  /** Whether an operator has paused the forwarder. */
  readonly paused: boolean
  readonly waiting: readonly WaitingMark[]
}

export interface WaitingMark {
  readonly sequence: number
  readonly replay: number
  /** Whether it comes out of quarantine: then it is no replay, though it has a replay's number. */
  readonly released?: boolean
  /** Whether it goes out though the forwarder's filter would pass it over. */
  readonly forced?: boolean
  readonly lane: string | null
  readonly attempt: number
  readonly waitedMs: number
  /** Milliseconds from now until it is due. */
  readonly dueInMs: number
}

/** What must go to disk together. */
export interface FeedCommit {
  readonly forwarder: string
  readonly cursor: number
  /** `undefined`: as it was. */
  readonly position: string | undefined
  /** `undefined`: as it was. */
  readonly breaker: BreakerState | undefined
  readonly changes: readonly Change[]
  readonly records: readonly RecordedAttempt[]
}

export interface RecordedAttempt extends AttemptRecord {
  readonly sequence: number
  readonly replay: number
  readonly attempt: number
  /** `skipped`: there was none, because the forwarder's filter passed it over. */
  readonly outcome: 'forwarded' | 'retry' | 'dead' | 'skipped'
  readonly detail: string | null
}

/** Deliveries that a forwarder may see, in order, and the sequence up to which these are all there are. */
export interface ReadDeliveries {
  readonly deliveries: readonly Delivery[]
  readonly upTo: number
}

/** What a feed needs of its engine. */
export interface FeedStore {
  /** What comes after a sequence; at once, where it is at hand. */
  readonly readAfter: (sequence: number, limit: number, limitBytes: number) => ReadDeliveries | Promise<ReadDeliveries>
  /** What is gone or damaged is missing from the answer. */
  readonly readMany: (sequences: readonly number[]) => Promise<ReadonlyMap<number, Delivery>>
  readonly readReplaysAfter: (forwarder: string, after: { readonly replay: number, readonly sequence: number }, limit: number) => Promise<readonly WaitingMark[]>
  /** What goes to the disk together may have one promise. */
  readonly commit: (commit: FeedCommit) => Promise<void>
  readonly monotonic: () => number
}
