export type BreakerState = 'closed' | 'open' | 'half-open'

export interface CircuitBreakerOptions {
  /** Consecutive failures that open it. */
  readonly threshold: number
  readonly minMs: number
  readonly maxMs: number
  readonly monotonic: () => number
  readonly random: () => number
}

/**
 * Keeps a forwarder whose destination is down from being tried for every delivery: after some failures in a row it opens,
 * for a time that doubles with each probe that fails; then one delivery goes through as a probe.
 */
export interface CircuitBreaker {
  readonly state: () => BreakerState
  /** How many attempts may begin now: none while it is open, one as a probe, else no bound. */
  readonly allowance: () => number
  /** Milliseconds until a probe may go; 0 where nothing is to be waited for. */
  readonly reopensInMs: () => number
  readonly started: () => void
  readonly succeeded: () => void
  readonly failed: () => void
}

export function createCircuitBreaker ({ threshold, minMs, maxMs, monotonic, random }: CircuitBreakerOptions): CircuitBreaker {
  let failures = 0
  let openings = 0
  let probeAt = 0
  let probing = false

  function state (): BreakerState {
    if (openings === 0) return 'closed'
    return monotonic() >= probeAt ? 'half-open' : 'open'
  }

  function open (): void {
    openings++
    probing = false
    const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(openings - 1, 40))
    // Between half and the whole of it, so that the breakers of several processes do not probe together.
    probeAt = monotonic() + ceiling * (0.5 + random() / 2)
  }

  return {
    state,
    allowance () {
      switch (state()) {
        case 'closed': return Infinity
        case 'open': return 0
        case 'half-open': return probing ? 0 : 1
      }
    },
    reopensInMs: () => openings === 0 ? 0 : Math.max(0, probeAt - monotonic()),
    started () {
      if (state() === 'half-open') probing = true
    },
    succeeded () {
      failures = 0
      openings = 0
      probing = false
    },
    failed () {
      failures++
      if (openings > 0 ? probing : failures >= threshold) open()
    }
  }
}
