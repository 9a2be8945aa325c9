import type { Delivery } from '../delivery/delivery.js'
import type { Settlement } from '../delivery/journal.js'

/** A delivery's state at one forwarder. */
export interface Entry {
  readonly sequence: number
  /** 0 on the first pass through the forwarder; otherwise the number of its replay. */
  readonly replay: number
  /** Whether it has a replay number only because it was released from quarantine, and is on its first pass. */
  readonly released?: boolean
  /** Whether it is sent even if the forwarder's filter does not want it. */
  readonly forced?: boolean
  /** Entries of one lane keep their order. `null`: no lane, so it blocks no other entry. */
  readonly lane: string | null
  /** `undefined` if only the durable mark is in memory: then the delivery must be read again. */
  delivery: Delivery | undefined
  /** The number of the next attempt, from 1. */
  attempt: number
  waitedMs: number
  /** Monotonic time before which it is not due. */
  dueAt: number
  /** Whether it has a durable mark, so that the cursor may pass it. */
  marked: boolean
  /** `parked`: it leaves memory with the next commit, and then only its mark on disk is left. */
  state: 'ready' | 'claimed' | 'parked' | 'finished'
  /** Monotonic time of the last claim. */
  claimedAt: number
}

/**
 * A mark is stored for a delivery that is not finished, and lets the cursor pass it. `first`: marks of the first pass. `replay`: marks with
 * a replay number, of replays and of deliveries released from quarantine.
 */
export type MarkKind = 'first' | 'replay'

export function kindOf ({ replay }: Pick<Entry, 'replay'>): MarkKind {
  return replay > 0 ? 'replay' : 'first'
}

/** The fields of a durable mark from which a schedule makes an entry. */
export type RestoredEntry = Pick<Entry, 'sequence' | 'replay' | 'released' | 'forced' | 'lane' | 'attempt' | 'waitedMs' | 'dueAt'>

export function toEntry (restored: RestoredEntry): Entry {
  return { ...restored, delivery: undefined, marked: true, state: 'ready', claimedAt: 0 }
}

export function newEntry (delivery: Delivery, lane: string | null): Entry {
  return { sequence: delivery.sequence, replay: 0, lane, delivery, attempt: 1, waitedMs: 0, dueAt: 0, marked: false, state: 'ready', claimedAt: 0 }
}

/** A change that an engine must store. The order of changes matters. */
export type Change =
  /** Store a mark for the delivery, so that the cursor may pass it. */
  | { readonly type: 'wait', readonly entry: Entry, readonly delayMs: number, readonly reason: string | null }
  /** Remove its mark. */
  | { readonly type: 'finish', readonly entry: Entry }
  /** Remove its mark, if it has one, and keep it as a dead letter. */
  | { readonly type: 'dead', readonly entry: Entry, readonly reason: string }

export interface Taken {
  readonly entries: readonly Entry[]
  /** Milliseconds until the next entry is due, if only time is in the way. */
  readonly dueInMs?: number
}

/** Decides, in memory and without waiting, which delivery a forwarder gets next. */
export interface Schedule {
  /** Adds the next delivery in the journal's order. */
  readonly offer: (delivery: Delivery) => void
  /** Notes that no delivery up to this sequence is left to offer. */
  readonly pass: (sequence: number) => void
  readonly take: (limit: number) => Taken
  readonly settle: (entry: Entry, result: Settlement['result']) => void
  /** Drops the bodies of entries that are not claimed, so that they are read again: some deliveries may have been erased. */
  readonly forgetBodies: () => void
  /** Returns and clears the changes since the last call. */
  readonly drainChanges: () => readonly Change[]
  readonly hasChanges: () => boolean
  /** Up to this sequence, every delivery is finished or has a durable mark. */
  readonly cursor: () => number
  readonly size: () => ScheduleSize
}

export interface ScheduleSize {
  /** Entries without a durable mark, and the bytes of their bodies: these are in memory. */
  readonly unmarked: number
  readonly unmarkedBytes: number
}
