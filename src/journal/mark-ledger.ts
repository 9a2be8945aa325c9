import { kindOf, type Entry, type MarkKind } from './schedule.js'

/** What is known of one lane's marks on disk. */
interface LaneMarks {
  /** Whether there may be marks of this kind that are only on disk. They come after those in memory. */
  first: boolean
  replay: boolean
  /** How many of its marks are parked and not on disk yet. */
  parting: number
}

/** A lane whose entries in memory are all finished, and where to read on in it. */
export interface LaneEnd {
  readonly lane: string
  readonly kind: MarkKind
  readonly after: { readonly replay: number, readonly sequence: number }
}

export interface MarkLedgerOptions {
  readonly monotonic: () => number
  /** Whether the lane has entries in memory. */
  readonly hasLane: (lane: string) => boolean
}

/**
 * Tracks a forwarder's marks: which are in memory, and what is known of those that are only on disk. An entry that leaves memory is
 * forgotten only when its commit is on disk and no read is in progress, because a read may have begun before the commit. Otherwise a
 * mark could be taken twice, or a delivery could overtake others of its lane.
 */
export interface MarkLedger {
  /** The entry of a mark that is in memory or is leaving it; `undefined` if there is none. */
  readonly find: (mark: Pick<Entry, 'replay' | 'sequence'>) => Entry | undefined
  /** Notes that a mark is in memory. */
  readonly add: (entry: Entry) => void
  /** How many marks of a kind are in memory or leaving it. */
  readonly count: (kind: MarkKind) => number
  /** Notes that an entry leaves memory with the next commit, because it is finished or parked. */
  readonly remove: (entry: Entry) => void
  /** Returns and clears the entries that have left since the last call. Pass them to `forget` when their commit is on disk. */
  readonly drain: () => readonly Entry[]
  readonly forget: (entries: readonly Entry[]) => void
  /** How many parked entries have a mark that is not on disk yet. */
  readonly parting: () => number
  /** Whether marks of the first pass in this lane may be only on disk. */
  readonly follows: (lane: string) => boolean
  readonly noteLane: (lane: string, kind: MarkKind) => void
  /** Notes that all entries of a lane in memory are finished, and that this was the last. */
  readonly noteEnd: (entry: Entry) => void
  readonly ends: (kind: MarkKind) => Iterable<LaneEnd>
  /** Notes that a lane was read on. @param isAll whether no marks of it are left that are only on disk */
  readonly readOn: (end: LaneEnd, isAll: boolean) => void
  /** Whether all lanes with marks of the first pass are known: they have an entry in memory, or `follows` is true for them. */
  readonly isComplete: () => boolean
  /** Monotonic time at which the next mark of a kind falls due that is only on disk. */
  readonly dueAt: (kind: MarkKind) => number
  readonly noteDue: (kind: MarkKind, at: number) => void
  /** Notes that a read of due marks begins. Until `noteDue`, no others of this kind are due. */
  readonly beginDue: (kind: MarkKind) => void
  readonly noteComplete: () => void
  readonly beginRead: () => void
  readonly endRead: () => void
}

export function createMarkLedger ({ monotonic, hasLane }: MarkLedgerOptions): MarkLedger {
  const inMemory = { first: new Map<string, Entry>(), replay: new Map<string, Entry>() }
  const lanes = new Map<string, LaneMarks>()
  const ends = { first: new Map<string, LaneEnd>(), replay: new Map<string, LaneEnd>() }
  /** Before the first read, marks may be due at once. */
  const dueAt = { first: -Infinity, replay: -Infinity }
  let complete = false
  let leaving: Entry[] = []
  let parting = 0
  let reading = false
  let forgetLater: Entry[] = []
  const tidyLater = new Set<string>()

  function lanesOf (lane: string): LaneMarks {
    const known = lanes.get(lane)
    if (known !== undefined) return known
    const made = { first: false, replay: false, parting: 0 }
    lanes.set(lane, made)
    return made
  }

  function forgetNow (entry: Entry): void {
    const kind = kindOf(entry)
    inMemory[kind].delete(keyOf(entry))
    if (entry.state === 'parked') {
      parting--
      if (entry.lane !== null) lanesOf(entry.lane).parting--
      dueAt[kind] = Math.min(dueAt[kind], entry.dueAt)
    // The next mark of its lane may be due now.
    } else if (entry.lane !== null) dueAt[kind] = Math.min(dueAt[kind], monotonic())
    if (entry.lane !== null) tidy(entry.lane)
  }

  /** Forgets a lane that has nothing in memory. Its marks on disk are found when they fall due. */
  function tidy (lane: string): void {
    const known = lanes.get(lane)
    if (known === undefined) return
    if (reading) tidyLater.add(lane)
    else if (!hasLane(lane) && known.parting === 0 && !ends.first.has(lane) && !ends.replay.has(lane)) {
      if (known.first) complete = false
      lanes.delete(lane)
    }
  }

  return {
    find: (mark) => inMemory[kindOf(mark)].get(keyOf(mark)),
    add: (entry) => { inMemory[kindOf(entry)].set(keyOf(entry), entry) },
    count: (kind) => inMemory[kind].size,

    remove (entry) {
      leaving.push(entry)
      if (entry.state !== 'parked') return
      parting++
      if (entry.lane === null) return
      const lane = lanesOf(entry.lane)
      lane.parting++
      lane[kindOf(entry)] = true
    },

    drain () {
      if (leaving.length === 0) return leaving
      const drained = leaving
      leaving = []
      return drained
    },

    forget (entries) {
      if (reading) forgetLater.push(...entries)
      else for (const entry of entries) forgetNow(entry)
    },

    parting: () => parting,
    follows: (lane) => lanes.get(lane)?.first === true,
    noteLane: (lane, kind) => { lanesOf(lane)[kind] = true },

    noteEnd ({ lane, replay, sequence }) {
      if (lane === null || lanes.size === 0) return
      const kind = kindOf({ replay })
      if (lanes.get(lane)?.[kind] === true) ends[kind].set(lane, { lane, kind, after: { replay, sequence } })
      else tidy(lane)
    },

    ends: (kind) => ends[kind].values(),

    readOn ({ lane, kind }, isAll) {
      ends[kind].delete(lane)
      const known = lanesOf(lane)
      if (isAll && known.parting === 0) known[kind] = false
      tidy(lane)
    },

    isComplete: () => complete,
    dueAt: (kind) => dueAt[kind],
    noteDue: (kind, at) => { dueAt[kind] = Math.min(dueAt[kind], at) },
    beginDue: (kind) => { dueAt[kind] = Infinity },
    noteComplete: () => { complete = true },
    beginRead: () => { reading = true },

    endRead () {
      reading = false
      const entries = forgetLater
      forgetLater = []
      for (const entry of entries) forgetNow(entry)
      for (const lane of tidyLater) tidy(lane)
      tidyLater.clear()
    }
  }
}

function keyOf ({ replay, sequence }: Pick<Entry, 'replay' | 'sequence'>): string {
  return `${replay} ${sequence}`
}
