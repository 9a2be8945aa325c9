import type { Pruned } from '../../delivery/operator-requests.js'
import type { AppendResult, FeedCommit, OpenedStore, Progress, PruneOptions } from '../engine.js'
import type { AppendRecord } from './packed-appends.js'
import type { Salvaged } from './salvage/salvage.js'

/** One transaction: all of it is on disk, or nothing is. */
export interface Batch {
  /** Ids of deliveries that were refused while their commit was in progress. They are removed first. */
  readonly withdraw: readonly string[]
  readonly progress: readonly FeedCommit[]
  readonly appends: readonly AppendRecord[]
}

export interface BatchResult {
  /** One result per append, in the same order. */
  readonly appends: readonly AppendResult[]
  /** Why the progress was left out. The appends are stored although the progress could not be. */
  readonly progressError: StorageError | undefined
  /** Whether deduplication keys cannot be read. Then duplicates of stored events are stored too. */
  readonly keysDamaged: boolean
}

/** An error of SQLite, as it is sent between threads. */
export interface StorageError {
  readonly message: string
  readonly code: string | undefined
}

export interface RegisterFeed {
  readonly forwarder: string
  /** If the journal does not know the forwarder, it begins after this sequence. */
  readonly cursor: number
  /** The forwarder's filter as text, for operators' replays. If absent, the forwarder wants everything. */
  readonly filter?: string | undefined
}

export interface OpenWriter {
  readonly path: string
  readonly dedupeWindowMs: number
  /** Ids of deliveries to remove first. */
  readonly withdrawn: readonly string[]
  /** Whether the database is known to be damaged. */
  readonly damaged?: boolean
  /** Whether this process has opened the database before. */
  readonly reopened?: boolean
  /** The greatest known sequence. If the database is salvaged, new deliveries get greater ones. */
  readonly above?: number
}

export interface OpenedWriter extends OpenedStore {
  /** What was salvaged, if the database was damaged. */
  readonly salvaged: Salvaged | undefined
}

export interface WriterApi {
  open: (options: OpenWriter) => OpenedWriter
  commit: (batch: Batch) => BatchResult
  /** Commits a write that changes nothing, to find out whether the disk takes writes. */
  probe: () => void
  /** Throws a `FilesReplacedError` if an open file is not the one in the data folder. */
  checkFiles: () => void
  /** To be called when the clock was set back: marks written before then wait no longer than intended. */
  shortenWaits: () => void
  /** Marks records as damaged, so that no feed reads them any more. */
  setAside: (sequences: readonly number[]) => void
  registerFeed: (options: RegisterFeed) => Omit<Progress, 'term'>
  prune: (options: PruneOptions) => Pruned
  close: () => void
}
