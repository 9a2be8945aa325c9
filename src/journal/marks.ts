import type { Delivery } from '../delivery/delivery.js'
import type { Entry } from './schedule.js'

/** What a feed has to do with the marks on the disk: they are read into its schedule as there is room for them. */
export interface Marks {
  /** Begins the read that is wanted next. Returns nothing where none is, or one is under way. */
  readonly read: () => Promise<void> | undefined
  /** Whether a read is wanted now. */
  readonly wants: () => boolean
  /** Milliseconds until a mark on the disk is to be read, where that is known. */
  readonly dueInMs: () => number | undefined
  readonly wakeReplays: () => void
  /** Whether the schedule may get new deliveries. */
  readonly admits: () => boolean
  /** Calls `offer` once it is known which of these deliveries must wait behind marks on the disk; at once, and returning nothing, where that is known. */
  readonly admit: (deliveries: readonly Delivery[], offer: () => void) => Promise<void> | undefined
  /** Entries that the next commit takes out of memory, and what is to be called with them once it is on the disk. */
  readonly drain: () => readonly Entry[]
  readonly forget: (entries: readonly Entry[]) => void
}
