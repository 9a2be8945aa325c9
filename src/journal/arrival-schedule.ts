import { newEntry, toEntry, type Change, type Entry, type MarkKind, type RestoredEntry, type Schedule, type Taken } from './schedule.js'

export interface ArrivalScheduleOptions {
  /** The journal's sequence up to which everything is finished already. */
  readonly cursor: number
  readonly monotonic: () => number
}

export interface ArrivalSchedule extends Schedule {
  /** Adds an entry that has a durable mark: a replay, or what a forwarder of another order left behind. */
  readonly restore: (entry: RestoredEntry) => void
  /** How many entries with marks of a kind there are. */
  readonly marks: (kind: MarkKind) => number
}

/**
 * A schedule in which nothing passes anything: a batch is out, or none is. What must be tried again stays at the head of
 * its queue, so nothing needs a durable mark but what has one from the start: replays, and what a forwarder left behind
 * that used to be of another order. Not what takes its time either: nothing may go on before it has ended.
 */
export function createArrivalSchedule ({ cursor: start, monotonic }: ArrivalScheduleOptions): ArrivalSchedule {
  /** What goes its first way, in the journal's order. Entries with a mark come before all others. */
  const first: Entry[] = []
  const replays: Entry[] = []
  let changes: Change[] = []
  let offered = start
  let claimed = 0
  let waiting = 0
  let arrivedBytes = 0

  function drop (entry: Entry): void {
    const queue = entry.replay > 0 ? replays : first
    // All that is out was taken from the head, and results come in the order in which it was taken. To splice would move all that is behind.
    if (queue[0] === entry) queue.shift()
    else queue.splice(queue.indexOf(entry), 1)
    if (!entry.marked) arrivedBytes -= entry.delivery?.rawBody.byteLength ?? 0
    else if (entry.replay === 0) waiting--
  }

  return {
    offer (delivery) {
      offered = delivery.sequence
      arrivedBytes += delivery.rawBody.byteLength
      first.push(newEntry(delivery, null))
    },

    pass (sequence) {
      offered = Math.max(offered, sequence)
    },

    restore (restored) {
      if (restored.replay === 0) waiting++
      const queue = restored.replay > 0 ? replays : first
      queue.push(toEntry(restored))
    },

    take (limit): Taken {
      if (claimed > 0) return { entries: [] }
      const now = monotonic()
      const queue = first.length > 0 ? first : replays
      const head = queue[0]
      if (head === undefined) return { entries: [] }
      if (head.dueAt > now) return { entries: [], dueInMs: head.dueAt - now }
      // What failed together is tried again together; replays may be throttled, each to its own time.
      const due = queue === replays ? queue.findIndex((entry) => entry.dueAt > now) : -1
      const entries = queue.slice(0, due === -1 ? limit : Math.min(due, limit))
      for (const entry of entries) entry.state = 'claimed'
      claimed = entries.length
      return { entries }
    },

    settle (entry, result) {
      claimed--
      switch (result.status) {
        case 'forwarded':
        case 'skipped':
        case 'dead':
          if (result.status === 'dead') changes.push({ type: 'dead', entry: { ...entry, delivery: undefined }, reason: result.reason })
          else if (entry.marked) changes.push({ type: 'finish', entry: { ...entry, delivery: undefined } })
          entry.state = 'finished'
          drop(entry)
          break
        case 'returned':
          entry.state = 'ready'
          break
        case 'retry':
          entry.state = 'ready'
          entry.attempt++
          entry.waitedMs += result.delayMs
          entry.dueAt = monotonic() + result.delayMs
      }
    },

    hasChanges: () => changes.length > 0,

    drainChanges () {
      const drained = changes
      changes = []
      return drained
    },

    cursor: () => (first.find((entry) => !entry.marked)?.sequence ?? offered + 1) - 1,
    marks: (kind) => kind === 'first' ? waiting : replays.length,
    size: () => ({ unmarked: first.length - waiting, unmarkedBytes: arrivedBytes })
  }
}
