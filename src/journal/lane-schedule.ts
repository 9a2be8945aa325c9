import type { Delivery } from '../delivery/delivery.js'
import type { Settlement } from '../delivery/journal.js'
import { createDueQueue } from './due-queue.js'
import type { Change, Entry, Schedule, Taken } from './schedule.js'

export interface LaneScheduleOptions {
  /** The journal's sequence up to which everything is finished or marked already. */
  readonly cursor: number
  readonly laneOf: (delivery: Delivery) => string | null
  readonly monotonic: () => number
}

/** Entries that the cursor has passed are let go together, in this number at most. */
const PASSED_KEPT = 512

/**
 * A schedule in which entries of different lanes pass each other, and those of one lane never do. An entry that must wait
 * gets a durable mark, and so does everything behind it in its lane: then the cursor goes on, and only the lane waits.
 */
export function createLaneSchedule ({ cursor: start, laneOf, monotonic }: LaneScheduleOptions): Schedule {
  /** Unfinished lanes. The first entry of each is the one that is due; it stays until it is finished. */
  const lanes = new Map<string, Entry[]>()
  /** Entries that nothing is in the way of. */
  const ready: Entry[] = []
  const waiting = createDueQueue()
  /** In sequence order: entries without a mark, and finished ones not yet passed by the cursor. */
  const unmarked: Entry[] = []
  /** How many of them, at the beginning, the cursor has passed. */
  let passed = 0
  let changes: Change[] = []
  let offered = start
  let unmarkedCount = 0
  let unmarkedBytes = 0
  let waitingCount = 0
  let replayCount = 0

  function enter (entry: Entry): void {
    if (entry.lane !== null) {
      const lane = lanes.get(entry.lane)
      if (lane !== undefined) {
        lane.push(entry)
        return
      }
      lanes.set(entry.lane, [entry])
    }
    queue(entry)
  }

  function queue (entry: Entry): void {
    if (entry.dueAt > monotonic()) waiting.push(entry)
    else ready.push(entry)
  }

  function mark (entry: Entry, delayMs: number, reason: string | null): void {
    if (!entry.marked) {
      countUnmarked(entry, -1)
      waitingCount++
    }
    entry.marked = true
    // What waits keeps no body in memory, and the change keeps the entry as it is now.
    entry.delivery = undefined
    changes.push({ type: 'wait', entry: { ...entry }, delayMs, reason })
  }

  function countUnmarked (entry: Entry, sign: 1 | -1): void {
    unmarkedCount += sign
    unmarkedBytes += sign * (entry.delivery?.rawBody.byteLength ?? 0)
  }

  function finish (entry: Entry): void {
    entry.state = 'finished'
    if (!entry.marked) countUnmarked(entry, -1)
    else if (entry.replay > 0) replayCount--
    else waitingCount--
    entry.delivery = undefined
    if (entry.lane === null) return
    const lane = lanes.get(entry.lane)
    lane?.shift()
    const next = lane?.[0]
    if (next === undefined) lanes.delete(entry.lane)
    else queue(next)
  }

  return {
    offer (delivery) {
      offered = delivery.sequence
      const entry: Entry = {
        sequence: delivery.sequence, replay: 0, lane: laneOf(delivery), delivery, attempt: 1, waitedMs: 0, dueAt: 0, marked: false, state: 'ready'
      }
      countUnmarked(entry, 1)
      const ahead = entry.lane === null ? undefined : lanes.get(entry.lane)?.[0]
      if (ahead?.marked === true) mark(entry, 0, null)
      else unmarked.push(entry)
      enter(entry)
    },

    pass (sequence) {
      offered = Math.max(offered, sequence)
    },

    restore (restored) {
      if (restored.replay > 0) replayCount++
      else waitingCount++
      enter({ ...restored, delivery: undefined, marked: true, state: 'ready' })
    },

    take (limit): Taken {
      const now = monotonic()
      const entries: Entry[] = []
      while (entries.length < limit) {
        const entry = waiting.popDue(now) ?? ready.shift()
        if (entry === undefined) break
        entry.state = 'claimed'
        entries.push(entry)
      }
      const next = waiting.peek()
      return { entries, ...(next === undefined ? {} : { dueInMs: Math.max(0, next.dueAt - now) }) }
    },

    settle (entry: Entry, result: Settlement['result']) {
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
          ready.unshift(entry)
          break
        case 'retry': {
          entry.state = 'ready'
          entry.attempt++
          entry.waitedMs += result.delayMs
          entry.dueAt = monotonic() + result.delayMs
          mark(entry, result.delayMs, result.reason)
          for (const behind of (entry.lane === null ? undefined : lanes.get(entry.lane)) ?? []) {
            if (!behind.marked) mark(behind, 0, null)
          }
          queue(entry)
        }
      }
    },

    drainChanges () {
      const drained = changes
      changes = []
      return drained
    },

    cursor () {
      while (passed < unmarked.length && isPassed(unmarked[passed])) passed++
      // Now and then, because each time moves all that are behind.
      if (passed >= PASSED_KEPT || passed === unmarked.length) {
        unmarked.splice(0, passed)
        passed = 0
      }
      const first = unmarked[passed]
      return first === undefined ? offered : first.sequence - 1
    },

    size: () => ({ unmarked: unmarkedCount, unmarkedBytes, waiting: waitingCount, replays: replayCount })
  }
}

function isPassed (entry: Entry | undefined): boolean {
  return entry !== undefined && (entry.marked || entry.state === 'finished')
}
