import type { Order } from '../delivery/forwarder.js'
import type { MarkKind } from './schedule.js'

/** How much a feed has in memory. All else is on the disk, however much of it there is. */
export interface FeedLimits {
  /** Entries of the journal's order without a mark. */
  readonly windowEntries: Readonly<Record<Order, number>>
  /** Bytes of their bodies. */
  readonly windowBytes: number
  /** Marks of each kind that stand for their attempt, but for those that stand behind others in their lane. */
  readonly queued: Readonly<Record<MarkKind, number>>
  /** Marks that are read at once. */
  readonly page: number
  /** Lanes that are read on at once, and marks of each. */
  readonly lanes: number
  readonly lanePage: number
  /** New marks on their way to the disk, which may not answer. */
  readonly parting: number
}

export const LIMITS: FeedLimits = {
  // More of them let more lanes go on beside each other, and are read less often: each time, the reader's thread takes a core that a relay
  // and its destination could have. What goes in order of arrival is taken in batches, and those are made faster of what the caches still hold.
  windowEntries: { arrival: 1024, customer: 4096, none: 4096 },
  windowBytes: 8 * 1024 * 1024,
  queued: { first: 1024, replay: 512 },
  page: 256,
  lanes: 16,
  lanePage: 32,
  parting: 4096
}

/** Among so many deliveries beyond the cursor are those that were discarded: what is before them holds up the cursor for seconds, or is in the window. */
export const DISCARDED_WITHIN = 20_000
