import { performance } from 'node:perf_hooks'

/** Something that must be over at a certain time. Only the list writes `place` and `overAt`. */
export interface Timed {
  /** Index in the list of what runs; -1 if it is not in the list. */
  place: number
  /** In milliseconds of the monotonic clock. */
  overAt: number
  /** Called when the time is over. Must remove itself from the list. */
  readonly timeOver: () => void
}

/**
 * A list of what runs, each for the same longest time, with one timer for all. An array and not a set: V8 keeps entries deleted from a busy set,
 * and all that they refer to, until the next full collection.
 */
export interface Deadlines<T extends Timed> {
  readonly add: (timed: T) => void
  /** Idempotent. */
  readonly remove: (timed: T) => void
  readonly running: () => readonly T[]
}

/** Makes an empty list. There is no timer while the list is empty. */
export function createDeadlines<T extends Timed> (timeoutMs: number): Deadlines<T> {
  const running: T[] = []
  let timer: NodeJS.Timeout | undefined

  /** The entry for which the timer was set may be gone by now. The timer is then set again for the entry that is due first. */
  function check (): void {
    const now = performance.now()
    for (const timed of running.filter(({ overAt }) => overAt <= now)) timed.timeOver()
    clearTimeout(timer)
    if (running.length > 0) timer = setTimeout(check, Math.ceil(Math.min(...running.map(({ overAt }) => overAt)) - now))
  }

  return {
    add (timed) {
      timed.overAt = performance.now() + timeoutMs
      timed.place = running.push(timed) - 1
      if (running.length === 1) timer = setTimeout(check, timeoutMs)
    },

    remove (timed) {
      if (timed.place === -1) return
      const last = running.pop()
      if (last !== undefined && last !== timed) {
        running[timed.place] = last
        last.place = timed.place
      }
      timed.place = -1
      if (running.length === 0) clearTimeout(timer)
    },

    running: () => running
  }
}
