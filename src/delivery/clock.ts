/** The source of time. It is passed in, so that tests can control it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch, for people to read. The clock may be set forwards or backwards. */
  readonly now: () => number
  /** Milliseconds since an arbitrary start; never goes back. All durations are measured with it. */
  readonly monotonic: () => number
}

export const DAY_MS = 86_400_000

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now()
}
