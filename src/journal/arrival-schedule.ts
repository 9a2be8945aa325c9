import type { Change, Entry, Schedule, Taken } from './schedule.js'

export interface ArrivalScheduleOptions {
  /** The journal's sequence up to which everything is finished already. */
  readonly cursor: number
  readonly monotonic: () => number
}

/**
 * A schedule in which nothing passes anything: a batch is out, or none is. What must be tried again stays at the head of
 * its queue, so nothing needs a durable mark but replays, which have theirs from the start.
 */
export function createArrivalSchedule ({ cursor: start, monotonic }: ArrivalScheduleOptions): Schedule {
  const arrived: Entry[] = []
  const replays: Entry[] = []
  let changes: Change[] = []
  let offered = start
  let claimed = 0
  let arrivedBytes = 0

  function drop (entry: Entry): void {
    const queue = entry.marked ? replays : arrived
    // All that is out was taken from the head, and results come in the order in which it was taken.
    queue.splice(queue.indexOf(entry), 1)
    if (!entry.marked) arrivedBytes -= entry.delivery?.rawBody.byteLength ?? 0
  }

  return {
    offer (delivery) {
      offered = delivery.sequence
      arrivedBytes += delivery.rawBody.byteLength
      arrived.push({
        sequence: delivery.sequence, replay: 0, lane: null, delivery, attempt: 1, waitedMs: 0, dueAt: 0, marked: false, state: 'ready'
      })
    },

    pass (sequence) {
      offered = Math.max(offered, sequence)
    },

    restore (restored) {
      replays.push({ ...restored, delivery: undefined, marked: true, state: 'ready' })
    },

    take (limit): Taken {
      if (claimed > 0) return { entries: [] }
      const now = monotonic()
      for (const queue of [arrived, replays]) {
        const head = queue[0]
        if (head === undefined || head.dueAt > now) continue
        const entries = queue.slice(0, limit)
        for (const entry of entries) entry.state = 'claimed'
        claimed = entries.length
        return { entries }
      }
      const dueAt = Math.min(arrived[0]?.dueAt ?? Infinity, replays[0]?.dueAt ?? Infinity)
      return { entries: [], ...(dueAt === Infinity ? {} : { dueInMs: dueAt - now }) }
    },

    settle (entry, result) {
      claimed--
      switch (result.status) {
        case 'forwarded':
        case 'skipped':
        case 'dead':
          if (result.status === 'dead') changes.push({ type: 'dead', entry, reason: result.reason })
          else if (entry.marked) changes.push({ type: 'finish', entry })
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

    drainChanges () {
      const drained = changes
      changes = []
      return drained
    },

    cursor: () => (arrived[0]?.sequence ?? offered + 1) - 1,
    size: () => ({ unmarked: arrived.length, unmarkedBytes: arrivedBytes, marked: replays.length })
  }
}
