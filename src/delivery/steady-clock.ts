import type { Clock } from './clock.js'

/** A step of the wall clock of up to this many milliseconds is tolerated. */
const STEP_MS = 3_600_000
/** How long a clock must run before it is trusted, in milliseconds, if it was set or if it is far from the newest delivery at the start. */
const PROBATION_MS = 86_400_000

export interface SteadyClockOptions {
  readonly clock: Clock
  /** When the newest delivery was received, or the newest line was written; `undefined` if there is none. */
  readonly lastReceivedAt: number | undefined
  /** Called when the clock was set, with the size of the step in milliseconds. */
  readonly onStep: (byMs: number) => void
}

/**
 * Makes a check for whether data may be deleted by its age now. One reading of a wrong clock would delete everything. So a clock is not trusted
 * until it has run for a day if it jumps against the monotonic clock, or if it is more than a day away from the newest delivery at the start.
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
    // Clocks also drift slowly. Only a jump between two checks counts as a step.
    offset = current
    return clock.monotonic() >= steadyAt
  }
}
