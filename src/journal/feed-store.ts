import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery } from '../delivery/delivery.js'
import type { AttemptRecord } from '../delivery/journal.js'
import type { Change, MarkKind } from './schedule.js'

/** What was kept of a forwarder's progress. */
export interface Progress {
  readonly cursor: number
  readonly position: string | null
  /** Whether an operator has paused the forwarder. */
  readonly paused: boolean
  /** What had come beyond the cursor before a kill, and was settled there: sequences that wait on their first way or are dead letters, ascending. */
  readonly settled: Float64Array
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

/** Marks that may be tried now or soon. */
export interface DueMarks {
  readonly marks: readonly WaitingMark[]
  /** Milliseconds from now until the next one beyond these is due; `undefined`: there is none. */
  readonly nextInMs: number | undefined
}

/** Where marks are read on, in the order of their numbers. */
export interface MarkPlace {
  readonly replay: number
  readonly sequence: number
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
  /**
   * Marks that are due within so many milliseconds: those that fell due first, and of each lane only the earliest that it has of
   * this kind.
   */
  readonly readDue: (forwarder: string, kind: MarkKind, options: { readonly withinMs: number, readonly limit: number }) => Promise<DueMarks>
  /** The next marks of each of these lanes, up to `limit` of each, in their order. */
  readonly readLanes: (forwarder: string, kind: MarkKind, lanes: ReadonlyArray<{ readonly lane: string, readonly after: MarkPlace }>, limit: number) => Promise<readonly WaitingMark[]>
  /** Marks in the order of their numbers, due or not. */
  readonly readMarks: (forwarder: string, kind: MarkKind, after: MarkPlace, limit: number) => Promise<readonly WaitingMark[]>
  /** What goes to the disk together may have one promise. */
  readonly commit: (commit: FeedCommit) => Promise<void>
  readonly monotonic: () => number
}
