import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery, NewDelivery, Verdict } from '../delivery/delivery.js'
import type { AttemptRecord, FeedOptions } from '../delivery/journal.js'
import type { EndedCommit } from '../delivery/observation.js'
import type { Pruned, RetentionLimits } from '../delivery/operator-requests.js'
import type { Change, MarkKind } from './schedule.js'

// What an engine is, in two sides, which may be in threads or processes of their own: one for those who accept and one for those who
// forward. What people ask of it is its `Operator`. All calls may take their time; none may rely on there being one process alone.

/** The sequence under which a delivery is stored, the delivery that is stored already in its stead, or nothing where it was withdrawn before it was stored. */
export type AppendResult = number | { readonly id: string, readonly verdict: Verdict } | undefined

export interface OpenedStore {
  readonly lastSequence: number
  /** When the newest delivery was received; `undefined` where there is none. */
  readonly lastReceivedAt: number | undefined
}

export interface PruneOptions extends RetentionLimits {
  /** The most deliveries to look at in one step. */
  readonly limit: number
  /** The sequence after which this step begins. */
  readonly after: number
}

export interface AcceptEvents {
  readonly onCommit: (commit: EndedCommit) => void
  /** An open store can't be used, for this reason, until `onAvailable`. */
  readonly onUnavailable: (error: unknown) => void
  readonly onAvailable: () => void
  /** Told of what can only be a defect of ours. */
  readonly onDefect: (error: unknown) => void
}

/** An engine as those see it who accept. */
export interface AcceptEngine {
  /**
   * Whom it tells, from before it is opened.
   * @param stopping aborts when the journal begins to close: from then on nothing is opened anew or mended
   */
  readonly listen: (events: AcceptEvents, stopping: AbortSignal) => void
  /** Opens the store, or makes it where there is none; what an earlier process has refused is not in it any more. To be called again where it rejects. */
  readonly open: () => Promise<OpenedStore>
  /** What an error of `open` that ends the start says to whoever starts the service. */
  readonly explain: (error: unknown) => unknown
  /** How many calls of `append` may be under way at once. An engine that gathers what comes meanwhile sets no limit. */
  readonly appendsAtOnce: number
  /**
   * Resolves with one result each, in their order, once they are on disk. What is appended first is stored first, whole or not at all.
   * @param withinMs how long the first of them may take. It is refused then, and withdrawn; an engine may refuse to store it by itself.
   */
  readonly append: (deliveries: readonly NewDelivery[], withinMs: number) => Promise<readonly AppendResult[]>
  /** Whether what was appended may be stored, now or later, although `append` rejected with this error. */
  readonly mayBeStored: (error: unknown) => boolean
  /** Resolves once none of the deliveries is stored, nor will be by an `append` that was called before. */
  readonly withdraw: (ids: readonly string[]) => Promise<void>
  /** Writes down, for the next process, what is refused and may be stored. Never fails, and need not last longer than the store could. */
  readonly recordWithdrawals: (ids: readonly string[]) => Promise<void>
  /** All that was written down is withdrawn. */
  readonly clearWithdrawals: () => void
  /** Nothing up to this sequence will be withdrawn any more: it may be read. */
  readonly setVisible: (sequence: number) => void
  /** Rejects where the store takes no commit now. */
  readonly probe: () => Promise<void>
  /** Whether this process is the one of several that removes what is old and raises alarms; always where absent. */
  readonly leadsUpkeep?: () => boolean
  /** A small step of retention. */
  readonly prune: (options: PruneOptions) => Promise<Pruned>
  /** Waits for `timeoutMs` at most. Resolves with whether nothing can be written any more. */
  readonly close: (timeoutMs: number) => Promise<boolean>
}

/** Where a forwarder goes on, for whoever leads it. */
export interface Progress {
  /** Greater than that of all who have led it before. */
  readonly term: number
  readonly cursor: number
  readonly position: string | null
  /** Whether an operator has paused the forwarder. */
  readonly paused: boolean
  /** What had come beyond the cursor before a kill, and was settled there: sequences that wait on their first way, or are dead letters, discarded or not, ascending. */
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
  /** That in which it was made. */
  readonly term: number
  readonly cursor: number
  /** `undefined`: as it was. */
  readonly position: string | undefined
  /** `undefined`: as it was. */
  readonly breaker: BreakerState | undefined
  readonly changes: readonly Change[]
  readonly records: readonly RecordedAttempt[]
  /** Whether it was tried before without an answer, and so may be stored. */
  readonly again?: boolean
}

export interface RecordedAttempt extends AttemptRecord {
  readonly sequence: number
  readonly replay: number
  readonly attempt: number
  /** `skipped`: there was none, because the forwarder's filter passed it over. */
  readonly outcome: 'forwarded' | 'retry' | 'dead' | 'skipped'
  readonly detail: string | null
}

/** `lost`: somebody else leads the forwarder by now, and nothing of it is stored. */
export type SaveResult = 'saved' | 'lost'

/** Deliveries that a forwarder may see, in order, and the sequence up to which these are all there are. */
export interface ReadDeliveries {
  readonly deliveries: readonly Delivery[]
  readonly upTo: number
  /** Whether there was nothing beyond it: then it is read on once it is told that there is more. */
  readonly isAll?: boolean
}

/** What a feed reads. What may yet be withdrawn is never among it. */
export interface FeedReads {
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
}

/** What a feed needs beside what it reads. */
export interface FeedStore extends FeedReads {
  /** Resolves when it is on disk. What goes there together may have one promise. */
  readonly commit: (commit: FeedCommit) => Promise<void>
  /** What is settled from now on is settled for nobody. */
  readonly giveUp: ForwardEngine['giveUp']
  readonly monotonic: () => number
}

/** What comes after a sequence, as it would be read. */
export interface FreshPage {
  readonly after: number
  readonly found: ReadDeliveries
}

export interface ForwardEvents {
  /** The store can be used, for the first time or again. */
  readonly onAvailable: () => void
  /** There may be more to read after what was the last. What of it is at hand need not be read. */
  readonly onMore: (fresh?: FreshPage) => void
  /** Replays may have been asked for. */
  readonly onReplays: () => void
  /** Somebody else may lead the forwarder from now on. */
  readonly onLost: (forwarder: string, term: number) => void
  /** This process leads more than its share: it is to finish what is under way, and give the forwarder up. */
  readonly onYield: (forwarder: string, term: number) => void
  /** An operator has paused or resumed the forwarder, in whichever process. */
  readonly onPaused: (forwarder: string, paused: boolean) => void
}

/** An engine as those see it who forward. */
export interface ForwardEngine extends FeedReads {
  /** Whom it tells, from before anything else is called. */
  readonly listen: (events: ForwardEvents) => void
  /**
   * Resolves once this process leads the forwarder, however long that takes, and leads it until it gives that up or `onLost` is told. An engine
   * that several processes share leads by a lease, which it renews by its own clock. Rejects once it is closed.
   */
  readonly lead: (forwarder: Pick<FeedOptions, 'forwarder' | 'start' | 'filter'>) => Promise<Progress>
  /** Whether this process leads the forwarder still; always where absent. It is asked before anything is handed out. */
  readonly isLeading?: (forwarder: string, term: number) => boolean
  /** Lets another process lead the forwarder. Never fails: a lease ends by itself. */
  readonly giveUp: (forwarder: string, term: number) => Promise<void>
  /** Resolves once it is on disk, with what became of each; where it rejects, it may be tried again. */
  readonly save: (progress: readonly FeedCommit[]) => Promise<readonly SaveResult[]>
  /** Those of the deliveries, by id, that a forwarder has yet to finish. */
  readonly unfinished: (forwarder: string, ids: readonly string[]) => Promise<readonly string[]>
  /** Idempotent. */
  readonly close: () => void | Promise<void>
}
