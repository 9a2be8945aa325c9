export interface RunLoopOptions {
  /** Does everything that can be done now. Returns the milliseconds until there is more to do; `undefined` if that is unknown. */
  readonly take: () => Promise<number | undefined>
  /** How long a turn asked for with `soon` is delayed, in milliseconds. 0 or less: not delayed. */
  readonly gatherMs: () => number
  /** Called after a turn if no other turn follows at once. */
  readonly onRest: () => void
  /** Called with errors that only a defect in tierhook can cause. */
  readonly onDefect: (error: unknown) => void
}

/** Runs turns one after another, never two at once. If a turn is asked for during another, it follows that one. */
export interface RunLoop {
  /** Runs the first turn. Turns asked for before this are ignored. */
  readonly begin: () => void
  readonly now: () => void
  /** Runs a turn within `gatherMs`. All calls until then share that turn. */
  readonly soon: () => void
  /** Stops the timers. Later turns run only when they are asked for. */
  readonly end: () => void
}

/** The longest delay that a Node timer takes, 24.8 days. A longer one fires at once, and turns would follow each other without end. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function createRunLoop ({ take, gatherMs, onRest, onDefect }: RunLoopOptions): RunLoop {
  let begun = false
  let ended = false
  let taking = false
  let again = false
  let restTimer: NodeJS.Timeout | undefined
  let gatherTimer: NodeJS.Timeout | undefined

  function clearTimers (): void {
    clearTimeout(restTimer)
    clearTimeout(gatherTimer)
    gatherTimer = undefined
  }

  function now (): void {
    if (!begun) return
    if (taking) {
      again = true
      return
    }
    taking = true
    again = false
    clearTimers()
    take().then((restMs) => {
      taking = false
      if (again) now()
      else rest(restMs)
    }, onDefect)
  }

  function rest (restMs: number | undefined): void {
    if (restMs !== undefined && !ended) restTimer = setTimeout(now, Math.min(restMs, MAX_TIMER_MS))
    onRest()
  }

  return {
    now,
    begin () {
      begun = true
      now()
    },
    soon () {
      const waitMs = ended ? 0 : gatherMs()
      if (waitMs <= 0) now()
      else gatherTimer ??= setTimeout(now, waitMs)
    },
    end () {
      ended = true
      clearTimers()
    }
  }
}
