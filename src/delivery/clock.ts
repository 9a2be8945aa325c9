/** Time, passed in so that tests can steer it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. It may step; it is for what people read. */
  readonly now: () => number
  /** Milliseconds from an arbitrary start that never step back. All durations are measured with it. */
  readonly monotonic: () => number
}

export const DAY_MS = 86_400_000

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now()
}
