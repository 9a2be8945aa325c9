import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery, NewDelivery, Verdict } from '../delivery/delivery.js'
import type { AttemptRecord, FeedOptions } from '../delivery/journal.js'
import type { EndedCommit } from '../delivery/observation.js'
import type { Pruned, RetentionLimits } from '../delivery/operator-requests.js'
import type { Change, MarkKind } from './schedule.js'

// An engine has two interfaces: one for the accepting side and one for the forwarding side. They may run in different threads or
// processes. Operators' queries go through `Operator`. Any call may be slow. No call may assume that this is the only process.

/**
 * The sequence under which the delivery was stored; for a duplicate, the id and verdict of the delivery that is stored already.
 * `undefined` if the delivery was withdrawn before it was stored.
 */
export type AppendResult = number | { readonly id: string, readonly verdict: Verdict } | undefined

export interface OpenedStore {
  readonly lastSequence: number
  /** When the newest delivery was received; `undefined` if there is none. */
  readonly lastReceivedAt: number | undefined
}

export interface PruneOptions extends RetentionLimits {
  /** The most deliveries to examine in one step. */
  readonly limit: number
  /** The step begins after this sequence. */
  readonly after: number
}

export interface AcceptEvents {
  readonly onCommit: (commit: EndedCommit) => void
  /** The open store cannot be used, because of this error, until `onAvailable` is called. */
  readonly onUnavailable: (error: unknown) => void
  readonly onAvailable: () => void
  /** Called with errors that can only be defects of tierhook. */
  readonly onDefect: (error: unknown) => void
}

/** An engine as the accepting side sees it. */
export interface AcceptEngine {
  /**
   * Registers the listener. Must be called before `open`.
   * @param stopping aborts when the journal begins to close: after that the engine reopens and repairs nothing
   */
  readonly listen: (events: AcceptEvents, stopping: AbortSignal) => void
  /**
   * Opens the store, or creates it if there is none. Deliveries that an earlier process refused are removed first. The caller may call
   * it again after a rejection.
   */
  readonly open: () => Promise<OpenedStore>
  /** Turns an error of `open` that ends the start into one that tells the operator what to do. */
  readonly explain: (error: unknown) => unknown
  /** How many calls of `append` may be in progress at once. An engine that collects appends during a commit sets no limit. */
  readonly appendsAtOnce: number
  /**
   * Resolves with one result per delivery, in the same order, when they are on disk. Calls are stored in the order in which they
   * are made. A call is stored completely or not at all.
   * @param withinMs how long the oldest delivery may still take. Then the caller refuses and withdraws it; the engine may also refuse it
   */
  readonly append: (deliveries: readonly NewDelivery[], withinMs: number) => Promise<readonly AppendResult[]>
  /** Whether the deliveries may be stored, now or later, although `append` rejected with this error. */
  readonly mayBeStored: (error: unknown) => boolean
  /**
   * Resolves when no earlier call of `append` can store these deliveries any more. Those already stored are removed, unless a forwarder
   * may have read them.
   */
  readonly withdraw: (ids: readonly string[]) => Promise<void>
  /**
   * Records, for the next process, the refused deliveries that may still be stored. Never rejects. The record need not be more durable
   * than the store.
   */
  readonly recordWithdrawals: (ids: readonly string[]) => Promise<void>
  /** Clears that record: every delivery in it is withdrawn. */
  readonly clearWithdrawals: () => void
  /** Lets readers see the deliveries up to this sequence: none of them will be withdrawn. */
  readonly setVisible: (sequence: number) => void
  /** Rejects if the store cannot commit now. */
  readonly probe: () => Promise<void>
  /** Whether this process, of all that share the store, prunes and raises alarms. If absent, it always does. */
  readonly leadsUpkeep?: () => boolean
  /** Does one small step of retention. */
  readonly prune: (options: PruneOptions) => Promise<Pruned>
  /** Waits at most `timeoutMs`. Resolves with whether it is certain that nothing more can be written. */
  readonly close: (timeoutMs: number) => Promise<boolean>
}

/** Where the process that leads a forwarder continues. */
export interface Progress {
  /** Greater than the term of every earlier leader. */
  readonly term: number
  readonly cursor: number
  readonly position: string | null
  /** Whether an operator has paused the forwarder. */
  readonly paused: boolean
  /**
   * Sequences after the cursor that were already settled before a crash, ascending: deliveries with a mark of their first pass, and
   * dead letters, discarded or not.
   */
  readonly settled: Float64Array
}

export interface WaitingMark {
  readonly sequence: number
  readonly replay: number
  /** Whether it comes out of quarantine: then it is not a replay, although it has a replay number. */
  readonly released?: boolean
  /** Whether it is sent even if the forwarder's filter does not want it. */
  readonly forced?: boolean
  readonly lane: string | null
  readonly attempt: number
  readonly waitedMs: number
  /** Milliseconds from now until it is due. */
  readonly dueInMs: number
}

/** Marks that are due now or soon. */
export interface DueMarks {
  readonly marks: readonly WaitingMark[]
  /** Milliseconds until the next mark after these is due; `undefined` if there is none. */
  readonly nextInMs: number | undefined
}

/** A position among marks, which are ordered by replay number and sequence. Reading continues after it. */
export interface MarkPlace {
  readonly replay: number
  readonly sequence: number
}

/** Progress of one forwarder that must go to disk together. */
export interface FeedCommit {
  readonly forwarder: string
  /** The term in which the progress was made. */
  readonly term: number
  readonly cursor: number
  /** `undefined`: unchanged. */
  readonly position: string | undefined
  /** `undefined`: unchanged. */
  readonly breaker: BreakerState | undefined
  readonly changes: readonly Change[]
  readonly records: readonly RecordedAttempt[]
  /** Whether an earlier try got no answer, so the progress may already be stored. */
  readonly again?: boolean
}

export interface RecordedAttempt extends AttemptRecord {
  readonly sequence: number
  readonly replay: number
  readonly attempt: number
  /** `skipped`: no attempt was made, because the forwarder's filter does not want the delivery. */
  readonly outcome: 'forwarded' | 'retry' | 'dead' | 'skipped'
  readonly detail: string | null
}

/** `lost`: another process leads the forwarder now, so nothing of this progress was stored. */
export type SaveResult = 'saved' | 'lost'

/** Deliveries that a forwarder may read, in order. `upTo`: there are no others up to this sequence. */
export interface ReadDeliveries {
  readonly deliveries: readonly Delivery[]
  readonly upTo: number
  /** Whether nothing followed when it was read. Then the feed reads on after `onMore`. */
  readonly isAll?: boolean
}

/** The reads that a feed makes. They never return deliveries that may still be withdrawn. */
export interface FeedReads {
  /** Reads the deliveries after a sequence. Returns them without a promise if the engine can read synchronously. */
  readonly readAfter: (sequence: number, limit: number, limitBytes: number) => ReadDeliveries | Promise<ReadDeliveries>
  /** Deliveries that are gone or damaged are missing from the result. */
  readonly readMany: (sequences: readonly number[]) => Promise<ReadonlyMap<number, Delivery>>
  /** Marks that are due within `withinMs`, the earliest due first. Of each lane, only the first mark of this kind. */
  readonly readDue: (forwarder: string, kind: MarkKind, options: { readonly withinMs: number, readonly limit: number }) => Promise<DueMarks>
  /** The next marks of each of these lanes in their order, up to `limit` per lane. */
  readonly readLanes: (forwarder: string, kind: MarkKind, lanes: ReadonlyArray<{ readonly lane: string, readonly after: MarkPlace }>, limit: number) => Promise<readonly WaitingMark[]>
  /** Marks ordered by replay number and sequence, due or not. */
  readonly readMarks: (forwarder: string, kind: MarkKind, after: MarkPlace, limit: number) => Promise<readonly WaitingMark[]>
}

/** All that a feed needs from the engine and the process. */
export interface FeedStore extends FeedReads {
  /** Resolves when the progress is on disk. Commits that go to disk together may share one promise. */
  readonly commit: (commit: FeedCommit) => Promise<void>
  /** Gives up leadership of the forwarder. Later commits of this term may be dropped. */
  readonly giveUp: ForwardEngine['giveUp']
  readonly monotonic: () => number
}

/** The deliveries after a sequence, as `readAfter` would return them. */
export interface FreshPage {
  readonly after: number
  readonly found: ReadDeliveries
}

export interface ForwardEvents {
  /** The store can be used, for the first time or again. */
  readonly onAvailable: () => void
  /** There may be new deliveries. Those in `fresh` need not be read. */
  readonly onMore: (fresh?: FreshPage) => void
  /** An operator may have asked for replays. */
  readonly onReplays: () => void
  /** Another process may lead the forwarder from now on. */
  readonly onLost: (forwarder: string, term: number) => void
  /** This process leads more than its share: it must finish its attempts in progress and give the forwarder up. */
  readonly onYield: (forwarder: string, term: number) => void
  /** An operator has paused or resumed the forwarder, in any process. */
  readonly onPaused: (forwarder: string, paused: boolean) => void
}

/** An engine as the forwarding side sees it. */
export interface ForwardEngine extends FeedReads {
  /** Registers the listener. Must be called before any other method. */
  readonly listen: (events: ForwardEvents) => void
  /**
   * Resolves when this process leads the forwarder, however long that takes. The process leads until `giveUp` or `onLost`. An engine that
   * several processes share uses a lease and renews it. Rejects when the engine is closed.
   */
  readonly lead: (forwarder: Pick<FeedOptions, 'forwarder' | 'start' | 'filter'>) => Promise<Progress>
  /** Whether this process still leads the forwarder; always, if absent. The feed asks before each claim. */
  readonly isLeading?: (forwarder: string, term: number) => boolean
  /** Lets another process lead the forwarder. Never rejects: a lease also ends without it. */
  readonly giveUp: (forwarder: string, term: number) => Promise<void>
  /** Resolves when the progress is on disk, with one result for each. After a rejection the caller may try again. */
  readonly save: (progress: readonly FeedCommit[]) => Promise<readonly SaveResult[]>
  /** Returns those ids whose deliveries the forwarder has not finished. */
  readonly unfinished: (forwarder: string, ids: readonly string[]) => Promise<readonly string[]>
  /** Idempotent. */
  readonly close: () => void | Promise<void>
}
