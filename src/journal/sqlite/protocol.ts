import type { Pruned } from '../../delivery/operator-requests.js'
import type { AppendResult, FeedCommit, OpenedStore, Progress, PruneOptions } from '../engine.js'
import type { AppendRecord } from './packed-appends.js'
import type { Salvaged } from './salvage/salvage.js'

/** One transaction. Everything in it is on disk together, or nothing is. */
export interface Batch {
  /** Ids of deliveries that were refused while their commit was under way: they are removed first. */
  readonly withdraw: readonly string[]
  readonly progress: readonly FeedCommit[]
  readonly appends: readonly AppendRecord[]
}

export interface BatchResult {
  /** One result an append, in their order. */
  readonly appends: readonly AppendResult[]
  /** Why the progress was left out, where it alone can't be stored: it costs no webhook its place on the disk. */
  readonly progressError: StorageError | undefined
  /** Whether deduplication keys can't be read: copies of events that are stored already are stored too. */
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

export interface OpenedWriter extends OpenedStore {
  /** Of a database that was damaged. */
  readonly salvaged: Salvaged | undefined
}

export interface WriterApi {
  open: (options: OpenWriter) => OpenedWriter
  commit: (batch: Batch) => BatchResult
  /** Commits a write that changes nothing, and so tells whether the disk takes one. */
  probe: () => void
  /** Throws a `FilesReplacedError` where a file that is open is not the one that is in the data folder. */
  checkFiles: () => void
  /** The clock was set back: marks that were written before wait no longer than they were to. */
  shortenWaits: () => void
  /** Records that turned out to be damaged: no feed gets them any more. */
  setAside: (sequences: readonly number[]) => void
  registerFeed: (options: RegisterFeed) => Omit<Progress, 'term'>
  prune: (options: PruneOptions) => Pruned
  close: () => void
}
