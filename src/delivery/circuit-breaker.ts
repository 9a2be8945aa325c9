export type BreakerState = 'closed' | 'open' | 'half-open'

export interface CircuitBreakerOptions {
  /** Consecutive failures that open the breaker. */
  readonly threshold: number
  readonly minMs: number
  readonly maxMs: number
  readonly monotonic: () => number
  readonly random: () => number
}

/**
 * Pauses attempts at a destination that is down. The breaker opens after some failures in a row. When its time is over, one delivery goes
 * through as a probe. The time doubles with each probe that fails.
 */
export interface CircuitBreaker {
  readonly state: () => BreakerState
  /** How many attempts may begin now: 0 while the breaker is open, 1 as a probe, else Infinity. */
  readonly allowance: () => number
  /** Milliseconds until a probe may begin; 0 if the breaker is closed or a probe may begin now. */
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
    // Between half of the time and all of it, so that the breakers of several processes do not probe at the same moment.
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
