import { newEntry, toEntry, type Change, type Entry, type MarkKind, type RestoredEntry, type Schedule, type Taken } from './schedule.js'

export interface ArrivalScheduleOptions {
  /** Every delivery up to this sequence is finished or has a mark. */
  readonly cursor: number
  readonly monotonic: () => number
}

export interface ArrivalSchedule extends Schedule {
  /** Adds an entry that has a durable mark: a replay, or a delivery left over from when the forwarder had another order. */
  readonly restore: (entry: RestoredEntry) => void
  /** How many entries of this kind have marks. */
  readonly marks: (kind: MarkKind) => number
}

/**
 * Creates a schedule that keeps the order of arrival strictly: only one batch is in progress at a time. A delivery to retry stays at
 * the head of its queue, and nothing passes a slow attempt, so the schedule makes no durable marks. The only entries with marks are
 * replays and deliveries left over from when the forwarder had another order.
 */
export function createArrivalSchedule ({ cursor: start, monotonic }: ArrivalScheduleOptions): ArrivalSchedule {
  /** Entries on their first pass, in the journal's order. Entries with a mark come before all others. */
  const first: Entry[] = []
  const replays: Entry[] = []
  let changes: Change[] = []
  let offered = start
  let claimed = 0
  let waiting = 0
  let arrivedBytes = 0

  function drop (entry: Entry): void {
    const queue = entry.replay > 0 ? replays : first
    // Usually it is the head, because results arrive in the order of the queue. `splice` would move all the entries behind it.
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
      // Entries on their first pass that failed together are retried together. Replays may be throttled, so each has its own due time.
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

    forgetBodies () {
      for (const entry of first) {
        if (entry.marked || entry.state !== 'ready') continue
        arrivedBytes -= entry.delivery?.rawBody.byteLength ?? 0
        entry.delivery = undefined
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
