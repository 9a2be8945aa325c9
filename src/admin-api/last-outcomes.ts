import type { Outcome } from '../delivery/forwarder.js'
import type { Observer } from '../delivery/observation.js'

/** Outcome of a forwarder's last attempt. */
export interface LastOutcome {
  readonly status: Outcome['status']
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly reason?: string
}

/** Remembers the outcome of each forwarder's last attempt. The configured forwarders bound its size. */
export function createLastOutcomes (now: () => number): { readonly of: (forwarder: string) => LastOutcome | undefined, readonly observer: Observer } {
  const last = new Map<string, LastOutcome>()
  return {
    of: (forwarder) => last.get(forwarder),
    observer: {
      attemptsEnded ({ forwarder, last: outcome }) { last.set(forwarder, { ...outcome, at: now() }) }
    }
  }
}
