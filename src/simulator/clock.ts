/** Time, passed in so that tests can steer it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds from an arbitrary start that never step back. */
  readonly monotonic: () => number
  /** Calls back once, after this many milliseconds. Returns a function that cancels the call. */
  readonly after: (ms: number, callback: () => void) => () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return () => { clearTimeout(timer) }
  }
}

/** Resolves after this many milliseconds, or as soon as the signal aborts. */
export async function pause (clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done)
  })
}
