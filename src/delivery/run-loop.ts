export interface RunLoopOptions {
  /** Does all that can be done now. Returns for how long there is nothing to do, in milliseconds, where that is known. */
  readonly take: () => Promise<number | undefined>
  /** How long a turn that need not be at once is waited for, in milliseconds; 0 and less: not at all. */
  readonly gatherMs: () => number
  /** Called after a turn that no other follows at once. */
  readonly onRest: () => void
  /** Told of what can only be a defect of ours. */
  readonly onDefect: (error: unknown) => void
}

/** Turns that follow one another: never two at once, and one that is asked for during another follows it. */
export interface RunLoop {
  /** Takes the first turn. What is asked for before does nothing. */
  readonly begin: () => void
  readonly now: () => void
  /** Takes a turn within `gatherMs`, together with whoever else asks for one until then. */
  readonly soon: () => void
  /** From now on a turn is taken only when it is asked for, and not because its time has come. */
  readonly end: () => void
}

/** A timer of more than 24.8 days ends at once in Node, and turns would follow one another without end. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

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
    if (restMs !== undefined && !ended) restTimer = setTimeout(now, Math.min(restMs, LONGEST_TIMER_MS))
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
