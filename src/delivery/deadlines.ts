import { performance } from 'node:perf_hooks'

/** What has a time at which it must be over. Both numbers are the list's to write. */
export interface Timed {
  /** Where it stands among those that run; -1 where it does not. */
  place: number
  /** In milliseconds of the monotonic clock. */
  overAt: number
  /** Its time is over. It must take itself off the list. */
  readonly timeOver: () => void
}

/**
 * What runs, and may run for the same time each, with one timer for all. A list and not a set: V8 keeps what was taken out of a
 * set that much goes through until the next full collection, and all that hangs on it.
 */
export interface Deadlines<T extends Timed> {
  readonly add: (timed: T) => void
  /** Idempotent. */
  readonly remove: (timed: T) => void
  readonly running: () => readonly T[]
}

/** There is no timer while nothing runs. */
export function createDeadlines<T extends Timed> (timeoutMs: number): Deadlines<T> {
  const running: T[] = []
  let timer: NodeJS.Timeout | undefined

  /** The one for which the timer was set may be gone by now, and then it is set for those that came after it. */
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
