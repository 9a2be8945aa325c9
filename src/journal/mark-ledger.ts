import { kindOf, type Entry, type MarkKind } from './schedule.js'

/** What is known of one lane's marks on the disk. */
interface LaneMarks {
  /** Whether there may be marks of this kind that are not in memory. They come after those that are. */
  first: boolean
  replay: boolean
  /** Marks of it that are on their way to the disk, and will not be in memory then. */
  parting: number
}

/** A lane of which all that was in memory is finished, and where to read on. */
export interface LaneEnd {
  readonly lane: string
  readonly kind: MarkKind
  readonly after: { readonly replay: number, readonly sequence: number }
}

export interface MarkLedgerOptions {
  readonly monotonic: () => number
  /** Whether entries of a lane are in memory. */
  readonly hasLane: (lane: string) => boolean
}

/**
 * Keeps account of a forwarder's marks: which are in memory, and what is known of those that are on the disk alone. What leaves
 * memory is forgotten once the commit that it goes with is on the disk, and no read is under way that may have seen the disk
 * before: else a mark could be taken twice, or a lane be passed.
 */
export interface MarkLedger {
  /** The entry of a mark, where it is in memory or on its way out of it. */
  readonly find: (mark: Pick<Entry, 'replay' | 'sequence'>) => Entry | undefined
  /** Notes that a mark is in memory. */
  readonly add: (entry: Entry) => void
  /** How many marks of a kind are in memory, or on their way out of it. */
  readonly count: (kind: MarkKind) => number
  /** Notes that an entry leaves memory with the next commit: it is finished, or parked. */
  readonly remove: (entry: Entry) => void
  /** Entries that have left since the last call, to be forgotten once their commit is on the disk. */
  readonly drain: () => readonly Entry[]
  readonly forget: (entries: readonly Entry[]) => void
  /** How many parked entries are on their way to the disk. */
  readonly parting: () => number
  /** Whether marks of the first way in this lane may be on the disk alone. */
  readonly follows: (lane: string) => boolean
  readonly noteLane: (lane: string, kind: MarkKind) => void
  /** Notes that all of a lane that was in memory is finished, with this entry. */
  readonly noteEnd: (entry: Entry) => void
  readonly ends: (kind: MarkKind) => Iterable<LaneEnd>
  /** Notes that a lane was read on. @param isAll whether nothing of it is left on the disk alone */
  readonly readOn: (end: LaneEnd, isAll: boolean) => void
  /** Whether something is in memory of every lane that has marks of the first way, or it is known of the lane that there are some. */
  readonly isComplete: () => boolean
  /** The monotonic time at which the next mark of a kind that is on the disk alone falls due. */
  readonly dueAt: (kind: MarkKind) => number
  readonly noteDue: (kind: MarkKind, at: number) => void
  /** Begins to read what is due: until `noteDue` nothing more of the kind is. */
  readonly beginDue: (kind: MarkKind) => void
  readonly noteComplete: () => void
  readonly beginRead: () => void
  readonly endRead: () => void
}

export function createMarkLedger ({ monotonic, hasLane }: MarkLedgerOptions): MarkLedger {
  const inMemory = { first: new Map<string, Entry>(), replay: new Map<string, Entry>() }
  const lanes = new Map<string, LaneMarks>()
  const ends = { first: new Map<string, LaneEnd>(), replay: new Map<string, LaneEnd>() }
  /** At the start nothing is known, so that there may be something at once. */
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
    // What was behind it may be the first of its lane now.
    } else if (entry.lane !== null) dueAt[kind] = Math.min(dueAt[kind], monotonic())
    if (entry.lane !== null) tidy(entry.lane)
  }

  /** Lets go of a lane of which nothing is in memory. What is on the disk is found when it falls due. */
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
