import type { NewDelivery, Verdict } from '../../delivery/delivery.js'
import type { Pruned, RetentionLimits } from '../../delivery/operator.js'
import type { FeedCommit, Progress } from '../feed-store.js'
import type { PackedAppends } from './packed-appends.js'
import type { PackedProgress } from './packed-progress.js'
import type { Salvaged } from './salvage/salvage.js'

/** One transaction. Everything in it is on disk together, or nothing is. */
export interface Batch {
  /** Ids of deliveries that were refused while their commit was under way: they are removed first. */
  readonly withdraw: readonly string[]
  readonly progress: readonly FeedCommit[]
  readonly appends: readonly NewDelivery[]
}

/** The same as it crosses to the writer's thread. */
export interface PackedBatch {
  readonly withdraw: readonly string[]
  readonly progress: readonly PackedProgress[]
  readonly appends: PackedAppends
}

/** The sequence under which a delivery is stored, or the delivery that is held already in its stead. */
export type AppendResult = number | { readonly id: string, readonly verdict: Verdict }

export interface BatchResult {
  /** One result an append, in their order. */
  readonly appends: readonly AppendResult[]
  /** Where the event's text stands in the body of each append, packed. */
  readonly eventPlaces: Int32Array
  /** Why the progress was left out, where it alone can't be stored: it costs no webhook its place on the disk. */
  readonly progressError: StorageError | undefined
  /** Whether deduplication keys can't be read: copies of events that we hold are stored too. */
  readonly keysDamaged: boolean
}

/** An error of SQLite as it crosses from thread to thread. */
export interface StorageError {
  readonly message: string
  readonly code: string | undefined
}

export interface RegisterFeed {
  readonly forwarder: string
  /** The sequence after which a forwarder begins that the journal does not know yet. */
  readonly cursor: number
  /** What it wants, as text that an operator's filters are made of; everything where absent. */
  readonly filter?: string | undefined
}

export interface PruneOptions extends RetentionLimits {
  /** The most deliveries to look at in one step. */
  readonly limit: number
  /** The sequence after which this step begins. */
  readonly after: number
}

export interface OpenWriter {
  readonly path: string
  readonly dedupeWindowMs: number
  /** Ids of deliveries that are to be removed first. */
  readonly withdrawn: readonly string[]
  /** Whether the database is known to be damaged. */
  readonly damaged?: boolean
  /** Whether this process has had it open before. */
  readonly reopened?: boolean
  /** The greatest sequence that is known; where the database is salvaged, new ones are above it. */
  readonly above?: number
}

export interface OpenedWriter {
  readonly lastSequence: number
  readonly lastReplay: number
  /** When the newest delivery was received; `undefined` where there is none. */
  readonly lastReceivedAt: number | undefined
  /** Of a database that was damaged. */
  readonly salvaged: Salvaged | undefined
}

export interface WriterApi {
  open: (options: OpenWriter) => OpenedWriter
  commit: (batch: PackedBatch) => BatchResult
  /** Commits a write that changes nothing, and so tells whether the disk takes one. */
  probe: () => void
  /** Throws a `FilesReplacedError` where a file that is open is not the one that is in the data folder. */
  checkFiles: () => void
  /** The clock was set back: marks that were written before wait no longer than they were to. */
  shortenWaits: () => void
  /** Records that turned out to be damaged: no feed gets them any more. */
  setAside: (sequences: readonly number[]) => void
  registerFeed: (options: RegisterFeed) => Progress
  prune: (options: PruneOptions) => Pruned
  close: () => void
}
