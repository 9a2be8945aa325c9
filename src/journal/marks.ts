import type { Delivery } from '../delivery/delivery.js'
import type { Entry } from './schedule.js'

/** The marks of one feed that are on disk. They are read into its schedule when there is room for them. */
export interface Marks {
  /** Begins the next read. Returns `undefined` if none is wanted, or one is in progress. */
  readonly read: () => Promise<void> | undefined
  /** Whether a read is wanted now. */
  readonly wants: () => boolean
  /** Milliseconds until a mark on disk must be read; `undefined` if unknown. */
  readonly dueInMs: () => number | undefined
  readonly wakeReplays: () => void
  /** Whether new deliveries may enter the schedule. */
  readonly admits: () => boolean
  /**
   * Calls `offer` when it is known which of the deliveries must wait behind marks on disk. If that is known already, calls it at once
   * and returns `undefined`.
   */
  readonly admit: (deliveries: readonly Delivery[], offer: () => void) => Promise<void> | undefined
  /** Returns and clears the entries that the next commit removes from memory. Pass them to `forget` when that commit is on disk. */
  readonly drain: () => readonly Entry[]
  readonly forget: (entries: readonly Entry[]) => void
}
