import { syncBuiltinESMExports } from 'node:module'
import timersPromises, { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/delivery/clock.js'

export interface FakeTime extends Clock {
  /** Steps the wall clock only, as setting the clock does. */
  readonly stepWall: (ms: number) => void
  /** Lets time pass at once, as if the process had been suspended. Timers that became due run afterwards, in their order. */
  readonly advance: (ms: number) => Promise<void>
  /** Resolves when there is nothing left to do at this time: no turn of the event loop and no file system call. */
  readonly settle: () => Promise<void>
  /** Removes all timers, as the end of a process does. */
  readonly forgetTimers: () => void
  /** Restores real time. */
  readonly restore: () => void
}

/**
 * The number of turns without work after which nothing is going on. A few promises may lie between two pieces of work, and in Node.js 26 a few
 * turns.
 */
const QUIET_TURNS = 10

class FakeTimer {
  dueAt: number
  readonly run: () => void

  constructor (dueAt: number, run: () => void) {
    this.dueAt = dueAt
    this.run = run
  }

  ref (): this { return this }
  unref (): this { return this }
}

/**
 * Replaces the process's timers until `restore`. Nothing else may need real timers meanwhile.
 * @param elsewhere work that other processes do for this one and that must end before time passes, if there is any
 */
export function takeTime (startAt: number, elsewhere: () => Promise<void> | undefined = () => undefined): FakeTime {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, sleep: timersPromises.setTimeout }
  const timers = new Set<FakeTimer>()
  let elapsed = 0
  let wall = startAt

  function set (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]): FakeTimer {
    const timer = new FakeTimer(elapsed + Math.max(1, Number.isFinite(ms) ? ms : 1), () => { run(...values) })
    timers.add(timer)
    return timer
  }

  function clear (timer: unknown): void {
    if (timer instanceof FakeTimer) timers.delete(timer)
    else Reflect.apply(real.clearTimeout, undefined, [timer])
  }

  async function sleep (ms: number, value?: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      const abort = (): void => {
        timers.delete(timer)
        reject(new DOMException('The operation was aborted', 'AbortError'))
      }
      const timer = set(() => {
        signal?.removeEventListener('abort', abort)
        resolve(value)
      }, ms)
      if (signal?.aborted === true) abort()
      signal?.addEventListener('abort', abort)
    })
  }

  function use (replacement: { readonly setTimeout: unknown, readonly clearTimeout: unknown, readonly sleep: unknown }): void {
    Reflect.set(globalThis, 'setTimeout', replacement.setTimeout)
    Reflect.set(globalThis, 'clearTimeout', replacement.clearTimeout)
    Reflect.set(timersPromises, 'setTimeout', replacement.sleep)
    // Replaces the functions for modules that imported them by name too.
    syncBuiltinESMExports()
  }

  async function settle (): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      const work = elsewhere()
      // Turning meanwhile would take CPU time from the processes that do the work.
      await (work ?? turn())
      quiet = work !== undefined || isBusy() ? 0 : quiet + 1
    }
  }

  use({ setTimeout: set, clearTimeout: clear, sleep })

  return {
    now: () => wall + elapsed,
    monotonic: () => elapsed,
    stepWall: (ms) => { wall += ms },
    settle,

    async advance (ms) {
      elapsed += ms
      for (const end = elapsed; ;) {
        await settle()
        const [next] = [...timers].filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt)
        if (next === undefined) return
        timers.delete(next)
        next.run()
      }
    },

    forgetTimers: () => { timers.clear() },
    restore: () => { use(real) }
  }
}

/** Whether the event loop has another turn to do, or a file system call is in progress. */
export function isBusy (): boolean {
  return process.getActiveResourcesInfo().some((name) => name === 'Immediate' || isFileCall(name))
}

/** Whether a file system call is in progress. */
export function isUsingFiles (): boolean {
  return process.getActiveResourcesInfo().some(isFileCall)
}

function isFileCall (name: string): boolean {
  return name === 'FSReqPromise' || name === 'FSReqCallback' || name === 'CloseReq'
}
