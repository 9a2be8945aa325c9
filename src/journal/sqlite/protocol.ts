import type { NewDelivery, Verdict } from '../../delivery/delivery.js'
import type { FeedCommit, Progress } from '../feed.js'

/** One transaction. Everything in it is on disk together, or nothing is. */
export interface Batch {
  /** Ids of deliveries that were refused while their commit was under way: they are removed first. */
  readonly withdraw: readonly string[]
  /** Records that turned out to be damaged: no feed gets them any more. */
  readonly setAside: readonly number[]
  readonly progress: readonly FeedCommit[]
  readonly appends: readonly NewDelivery[]
}

export type AppendResult =
  | { readonly status: 'stored', readonly sequence: number }
  | { readonly status: 'duplicate', readonly id: string, readonly verdict: Verdict }

export interface RegisterFeed {
  readonly forwarder: string
  readonly start: 'now' | 'beginning'
}

export interface PruneOptions {
  /** Deliveries received before this time (milliseconds since the epoch) may go. */
  readonly receivedBefore: number
  /** Above this size of the database the oldest may go too; 0: no limit. */
  readonly maxBytes: number
  /** Deduplication keys of deliveries received before this time may go. */
  readonly keysBefore: number
  /** The most deliveries to remove in one step. */
  readonly limit: number
}

export interface Pruned {
  readonly removed: number
  /** Whether another step would find something. */
  readonly more: boolean
}

export interface WriterApi {
  open: (options: { readonly path: string, readonly dedupeWindowMs: number, readonly withdrawn: readonly string[] }) => { readonly lastSequence: number, readonly lastReplay: number }
  commit: (batch: Batch) => readonly AppendResult[]
  registerFeed: (options: RegisterFeed) => Progress
  prune: (options: PruneOptions) => Pruned
  close: () => void
}
