import type { Order } from '../delivery/forwarder.js'
import type { MarkKind } from './schedule.js'

/** How much a feed holds in memory. Everything else stays on disk, however much it is. */
export interface FeedLimits {
  /** Entries without a mark, by the forwarder's order. */
  readonly windowEntries: Readonly<Record<Order, number>>
  /** Bytes of their bodies. */
  readonly windowBytes: number
  /** Marks of each kind, due now or soon, that no other entry of their lane blocks. */
  readonly queued: Readonly<Record<MarkKind, number>>
  /** Marks per read. */
  readonly page: number
  /** Lanes per read, and marks per lane. */
  readonly lanes: number
  readonly lanePage: number
  /** Parked entries whose marks are not on disk yet. At this limit, no new deliveries are read: the disk may not answer. */
  readonly parting: number
}

export const LIMITS: FeedLimits = {
  // A larger window lets more lanes proceed in parallel, and needs fewer reads. Each read takes a core that the forwarder and its
  // destination could use. In order of arrival, deliveries go in batches, which are built faster from what the CPU caches still hold.
  windowEntries: { arrival: 1024, customer: 4096, none: 4096 },
  windowBytes: 8 * 1024 * 1024,
  queued: { first: 1024, replay: 512 },
  page: 256,
  lanes: 16,
  lanePage: 32,
  parting: 4096
}

/**
 * How far after its cursor a feed that opens looks for discarded deliveries, in sequences. None can be farther away: an unfinished
 * delivery holds up the cursor for a few seconds at most, and the window is smaller than this.
 */
export const DISCARDED_WITHIN = 20_000
