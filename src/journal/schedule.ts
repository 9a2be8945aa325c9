import type { Delivery } from '../delivery/delivery.js'
import type { Settlement } from '../delivery/journal.js'

/** Where a delivery stands with one forwarder. */
export interface Entry {
  readonly sequence: number
  /** 0 for the first way through; else the number of the replay that it belongs to. */
  readonly replay: number
  /** Whether it has such a number only because it comes out of quarantine, on its first way through. */
  readonly released?: boolean
  /** Whether it goes out though the forwarder's filter would pass it over. */
  readonly forced?: boolean
  /** Entries of one lane keep their order among themselves. `null`: it is in nobody's way. */
  readonly lane: string | null
  /** `undefined` where only the durable mark is in memory: the delivery must be read again. */
  delivery: Delivery | undefined
  /** The number of the attempt that is due, from 1. */
  attempt: number
  waitedMs: number
  /** Monotonic time before which it is not due. */
  dueAt: number
  /** Whether a durable mark holds it, so that the cursor may pass it. */
  marked: boolean
  /** `parked`: nothing but its mark on the disk stands for it any more, once that is written. */
  state: 'ready' | 'claimed' | 'parked' | 'finished'
  /** Monotonic time at which it was claimed last. */
  claimedAt: number
}

/** Marks on the first way through a forwarder, and those with the number of a replay: replays, and what was released from quarantine. */
export type MarkKind = 'first' | 'replay'

export function kindOf ({ replay }: Pick<Entry, 'replay'>): MarkKind {
  return replay > 0 ? 'replay' : 'first'
}

/** What a schedule needs of an entry that has a durable mark. */
export type RestoredEntry = Pick<Entry, 'sequence' | 'replay' | 'released' | 'forced' | 'lane' | 'attempt' | 'waitedMs' | 'dueAt'>

export function toEntry (restored: RestoredEntry): Entry {
  return { ...restored, delivery: undefined, marked: true, state: 'ready', claimedAt: 0 }
}

export function newEntry (delivery: Delivery, lane: string | null): Entry {
  return { sequence: delivery.sequence, replay: 0, lane, delivery, attempt: 1, waitedMs: 0, dueAt: 0, marked: false, state: 'ready', claimedAt: 0 }
}

/** What an engine must make durable, in this order. */
export type Change =
  /** Mark the delivery as waiting: the cursor may pass it then. */
  | { readonly type: 'wait', readonly entry: Entry, readonly delayMs: number, readonly reason: string | null }
  /** Remove its mark. */
  | { readonly type: 'finish', readonly entry: Entry }
  /** Remove its mark, if it has one, and keep it as a dead letter. */
  | { readonly type: 'dead', readonly entry: Entry, readonly reason: string }

export interface Taken {
  readonly entries: readonly Entry[]
  /** Milliseconds until the next entry falls due, where nothing but time is in the way. */
  readonly dueInMs?: number
}

/** Decides, in memory and without waiting for anything, which delivery a forwarder gets next. */
export interface Schedule {
  /** Adds the next delivery of the journal's order. */
  readonly offer: (delivery: Delivery) => void
  /** Tells that nothing up to this sequence is left to offer. */
  readonly pass: (sequence: number) => void
  readonly take: (limit: number) => Taken
  readonly settle: (entry: Entry, result: Settlement['result']) => void
  /** The durable changes since the last call. */
  readonly drainChanges: () => readonly Change[]
  readonly hasChanges: () => boolean
  /** Every delivery offered up to this sequence is finished or has a durable mark. */
  readonly cursor: () => number
  readonly size: () => ScheduleSize
}

export interface ScheduleSize {
  /** Entries without a durable mark, and the bytes of their bodies: they are in memory whole. */
  readonly unmarked: number
  readonly unmarkedBytes: number
}
