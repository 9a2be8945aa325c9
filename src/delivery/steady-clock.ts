import type { Clock } from './clock.js'

/** A wall clock may be set by so much and is still the same clock, in milliseconds. */
const STEP_MS = 3_600_000
/** How long a clock that was set, or that begins long after the newest delivery, has to run on before it is believed, in milliseconds. */
const PROBATION_MS = 86_400_000

export interface SteadyClockOptions {
  readonly clock: Clock
  /** When the newest delivery was received, or the newest line written; `undefined` where there is none. */
  readonly lastReceivedAt: number | undefined
  /** Told of a clock that was set, and by how many milliseconds. */
  readonly onStep: (byMs: number) => void
}

/**
 * Tells whether what is deleted by its age may be deleted now. One reading of a wrong clock would delete everything: so a clock that jumps
 * against the monotonic one, and one that begins a day after the newest delivery, is not believed before it has run for a day.
 */
export function createSteadyClock ({ clock, lastReceivedAt, onStep }: SteadyClockOptions): () => boolean {
  let offset = clock.now() - clock.monotonic()
  const ahead = lastReceivedAt === undefined ? 0 : Math.abs(clock.now() - lastReceivedAt)
  let steadyAt = ahead > PROBATION_MS ? clock.monotonic() + PROBATION_MS : -Infinity

  return () => {
    const current = clock.now() - clock.monotonic()
    const step = current - offset
    if (Math.abs(step) > STEP_MS) {
      steadyAt = clock.monotonic() + PROBATION_MS
      onStep(step)
    }
    // It may also drift: only what happens between two looks is a step.
    offset = current
    return clock.monotonic() >= steadyAt
  }
}
