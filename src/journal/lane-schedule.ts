import type { Delivery } from '../delivery/delivery.js'
import type { Settlement } from '../delivery/journal.js'
import type { FeedLimits } from './limits.js'
import { createMarkLedger, type MarkLedger } from './mark-ledger.js'
import { createReadyQueue } from './ready-queue.js'
import { kindOf, newEntry, toEntry, type Change, type Entry, type MarkKind, type RestoredEntry, type Schedule, type Taken } from './schedule.js'
import { createUnpassed } from './unpassed.js'

export interface LaneScheduleOptions {
  /** Every delivery up to this sequence is finished or has a mark. */
  readonly cursor: number
  readonly laneOf: (delivery: Delivery) => string | null
  readonly monotonic: () => number
  readonly limits: FeedLimits
}

/**
 * A schedule in which entries of different lanes pass each other, and entries of one lane never do. An entry that must wait gets a
 * durable mark, and so do all entries behind it in its lane. Then the cursor goes on, and only the lane waits. Marks wait on disk;
 * memory holds those that are due now or soon.
 */
export interface LaneSchedule extends Schedule {
  /** Tracks the forwarder's marks. */
  readonly ledger: MarkLedger
  /** Adds an entry that has a durable mark, unless it is in memory already. Returns whether it was added. */
  readonly restore: (entry: RestoredEntry) => boolean
  /** Whether there is room for another page of marks of this kind. */
  readonly hasRoom: (kind: MarkKind) => boolean
  /** The lanes of these deliveries of which it is not known whether they have marks on disk. */
  readonly unsureLanes: (deliveries: readonly Delivery[]) => readonly string[]
  /** Gives marks to attempts that hold up the cursor for too long, and to the entries behind them. Returns whether more may become slow soon. */
  readonly markSlow: () => boolean
}

/** Marks due within this time stay in memory. Those due later are read again when they are due. In milliseconds. */
export const SOON_MS = 1000
/** An attempt that takes longer gets a mark, so that it does not hold up the cursor. In milliseconds. */
const SLOW_MS = 1000

export function createLaneSchedule ({ cursor: start, laneOf, monotonic, limits }: LaneScheduleOptions): LaneSchedule {
  /** Unfinished lanes. The first entry of each is attempted next, and stays until it is finished. */
  const lanes = new Map<string, Entry[]>()
  const ledger = createMarkLedger({ monotonic, hasLane: (lane) => lanes.has(lane) })
  const ready = createReadyQueue(monotonic)
  const unpassed = createUnpassed()
  let changes: Change[] = []
  let offered = start
  let unmarkedCount = 0
  let unmarkedBytes = 0

  function enter (entry: Entry): void {
    if (entry.lane !== null) {
      const lane = lanes.get(entry.lane)
      if (lane !== undefined) {
        lane.push(entry)
        return
      }
      lanes.set(entry.lane, [entry])
    }
    ready.add(entry)
  }

  function mark (entry: Entry, delayMs: number, reason: string | null): void {
    if (!entry.marked) {
      countUnmarked(entry, -1)
      ledger.add(entry)
    }
    entry.marked = true
    // A marked entry keeps no body in memory. The change is a copy of the entry as it is now.
    entry.delivery = undefined
    changes.push({ type: 'wait', entry: { ...entry }, delayMs, reason })
  }

  /** Removes an entry from memory with the next commit. Then only its mark on disk is left. */
  function park (entry: Entry): void {
    entry.state = 'parked'
    ledger.remove(entry)
  }

  function markAndPark (entry: Entry): void {
    mark(entry, 0, null)
    park(entry)
  }

  /** Marks and parks the entries behind the first of a lane. Those that have marks already stay in memory. */
  function parkBehind (lane: string): void {
    const entries = lanes.get(lane) ?? []
    const staying = entries.filter((entry, index) => index === 0 || entry.marked)
    for (const [index, entry] of entries.entries()) if (index > 0 && !entry.marked) markAndPark(entry)
    lanes.set(lane, staying)
  }

  function parkLane (head: Entry): void {
    park(head)
    if (head.lane === null) return
    for (const entry of (lanes.get(head.lane) ?? []).slice(1)) {
      if (entry.marked) park(entry)
      else markAndPark(entry)
    }
    lanes.delete(head.lane)
  }

  function countUnmarked (entry: Entry, sign: 1 | -1): void {
    unmarkedCount += sign
    unmarkedBytes += sign * (entry.delivery?.rawBody.byteLength ?? 0)
  }

  function finish (entry: Entry): void {
    entry.state = 'finished'
    if (entry.marked) ledger.remove(entry)
    else countUnmarked(entry, -1)
    entry.delivery = undefined
    if (entry.lane === null) return
    const lane = lanes.get(entry.lane)
    lane?.shift()
    const next = lane?.[0]
    if (next !== undefined) return ready.add(next)
    lanes.delete(entry.lane)
    ledger.noteEnd(entry)
  }

  function retry (entry: Entry, { reason, delayMs }: Extract<Settlement['result'], { status: 'retry' }>): void {
    entry.state = 'ready'
    entry.attempt++
    entry.waitedMs += delayMs
    entry.dueAt = monotonic() + delayMs
    mark(entry, delayMs, reason)
    const kind = kindOf(entry)
    if (delayMs > SOON_MS || ready.count(kind) >= limits.queued[kind]) return parkLane(entry)
    if (entry.lane !== null) parkBehind(entry.lane)
    ready.add(entry)
  }

  /** Whether a new entry of the lane must wait behind marks, in memory or on disk. */
  function waitsBehind (lane: string): boolean {
    return lanes.get(lane)?.[0]?.marked === true || ledger.follows(lane)
  }

  return {
    ledger,

    offer (delivery) {
      offered = delivery.sequence
      const entry = newEntry(delivery, laneOf(delivery))
      countUnmarked(entry, 1)
      if (entry.lane !== null && waitsBehind(entry.lane)) return markAndPark(entry)
      unpassed.push(entry)
      enter(entry)
    },

    pass (sequence) {
      offered = Math.max(offered, sequence)
    },

    restore (restored) {
      if (ledger.find(restored) !== undefined) return false
      const entry = toEntry(restored)
      ledger.add(entry)
      // More marks of its lane may be on disk.
      if (entry.lane !== null) ledger.noteLane(entry.lane, kindOf(entry))
      enter(entry)
      return true
    },

    hasRoom: (kind) => ready.count(kind) <= limits.queued[kind] - limits.page,

    unsureLanes (deliveries) {
      if (ledger.isComplete()) return []
      const unsure = new Set<string>()
      for (const delivery of deliveries) {
        const lane = laneOf(delivery)
        if (lane !== null && !ledger.follows(lane) && lanes.get(lane)?.[0]?.marked !== false) unsure.add(lane)
      }
      return [...unsure]
    },

    take (limit): Taken {
      const now = monotonic()
      const entries: Entry[] = []
      while (entries.length < limit) {
        const entry = ready.take(now)
        if (entry === undefined) break
        entry.state = 'claimed'
        entry.claimedAt = now
        entries.push(entry)
      }
      const dueInMs = ready.dueInMs(now)
      return { entries, ...(dueInMs === undefined ? {} : { dueInMs }) }
    },

    settle (entry, result) {
      switch (result.status) {
        case 'forwarded':
        case 'skipped':
          if (entry.marked) changes.push({ type: 'finish', entry: { ...entry, delivery: undefined } })
          finish(entry)
          break
        case 'dead':
          changes.push({ type: 'dead', entry: { ...entry, delivery: undefined }, reason: result.reason })
          finish(entry)
          break
        case 'returned':
          entry.state = 'ready'
          ready.putBack(entry)
          break
        case 'retry':
          retry(entry, result)
      }
    },

    forgetBodies () {
      for (const entry of unpassed.entries()) {
        if (entry.marked || entry.state !== 'ready') continue
        unmarkedBytes -= entry.delivery?.rawBody.byteLength ?? 0
        entry.delivery = undefined
      }
    },

    markSlow () {
      const before = monotonic() - SLOW_MS
      let mayBeMore = false
      for (const entry of unpassed.entries()) {
        if (entry.marked || entry.state === 'finished') continue
        const head = (entry.lane === null ? undefined : lanes.get(entry.lane)?.[0]) ?? entry
        if (head.state !== 'claimed') continue
        if (head.claimedAt > before) {
          mayBeMore = true
          continue
        }
        // If the process ends during this attempt, the mark makes the next process try it again.
        if (!head.marked) mark(head, 0, null)
        if (head.lane !== null) parkBehind(head.lane)
      }
      return mayBeMore
    },

    hasChanges: () => changes.length > 0,

    drainChanges () {
      const drained = changes
      changes = []
      return drained
    },

    cursor: () => unpassed.cursor() ?? offered,

    size: () => ({ unmarked: unmarkedCount, unmarkedBytes })
  }
}
