import type { Clock } from '../../src/simulator/clock.js'

export interface SteeredClock extends Clock {
  /** Lets this much time pass. Every timer fires at its time, and its effects are settled before the next one fires. */
  readonly pass: (ms: number) => Promise<void>
}

/** Makes a clock that stands still until a test lets time pass. It begins at 0, and the wall clock at 31 January 2026. */
export function steeredClock (): SteeredClock {
  const timers = new Set<{ readonly at: number, readonly callback: () => void }>()
  let now = 0

  async function settle (): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise(resolve => { setImmediate(resolve) })
  }

  return {
    now: () => Date.UTC(2026, 0, 31) + now,
    monotonic: () => now,
    after (ms, callback) {
      const timer = { at: now + ms, callback }
      timers.add(timer)
      return () => { timers.delete(timer) }
    },
    async pass (ms) {
      const end = now + ms
      await settle()
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers.delete(due)
        now = due.at
        due.callback()
        await settle()
      }
      now = end
    }
  }
}
