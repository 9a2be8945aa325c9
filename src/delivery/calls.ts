import { createAttempts } from './attempt.js'
import type { Clock } from './clock.js'
import type { Forwarder, ForwardResult } from './forwarder.js'
import type { AttemptRecord, Claim } from './journal.js'

/** One call of a forwarder that has ended. */
export interface EndedCall extends AttemptRecord {
  readonly claims: readonly Claim[]
  /** `undefined` if the stop of the service ended the call. The attempt does not count then. */
  readonly result: ForwardResult | undefined
}

export interface CallsOptions {
  readonly forwarder: Forwarder
  readonly clock: Clock
  /**
   * Called once with all calls that ended in the same turn of the event loop, so that they are settled together and the next calls begin
   * together.
   */
  readonly onEnded: (calls: readonly EndedCall[]) => void
  readonly onDefect: (error: unknown) => void
}

/** The calls of one forwarder that are under way. */
export interface Calls {
  readonly inFlight: () => number
  readonly begin: (claims: readonly Claim[]) => void
  /** When the last call began, on the monotonic clock; -Infinity before the first. */
  readonly lastBegunAt: () => number
  /** Ends all calls that are under way. */
  readonly abort: () => void
  readonly aborted: () => boolean
}

export function createCalls ({ forwarder, clock, onEnded, onDefect }: CallsOptions): Calls {
  const attempts = createAttempts(forwarder)
  let inFlight = 0
  let ended: EndedCall[] = []
  let aborted = false
  let lastBegunAt = -Infinity

  function notifyEnded (): void {
    const calls = ended
    ended = []
    inFlight -= calls.length
    onEnded(calls)
  }

  return {
    inFlight: () => inFlight,
    lastBegunAt: () => lastBegunAt,
    aborted: () => aborted,

    begin (claims) {
      inFlight++
      const startedAt = clock.now()
      const before = clock.monotonic()
      lastBegunAt = before
      attempts.run(claims.map(({ delivery, attempt, replay }) => ({ delivery, number: attempt, replay }))).then((result) => {
        if (ended.length === 0) setImmediate(notifyEnded)
        ended.push({ claims, result: aborted ? undefined : result, startedAt, durationMs: clock.monotonic() - before })
      }).catch(onDefect)
    },

    abort () {
      aborted = true
      attempts.abort(new Error('The service is stopping'))
    }
  }
}
