import type { Logger } from 'pino'
import type { EndedCall } from './calls.js'
import type { CircuitBreaker } from './circuit-breaker.js'
import type { Forwarder, Outcome } from './forwarder.js'
import type { Claim, Feed, Settlement } from './journal.js'
import type { EndedAttempts, Observer } from './observation.js'
import type { RetryPolicy } from './retry-policy.js'
import { createSettle, type Settled } from './settlement.js'

export interface SettleCallsOptions {
  readonly forwarder: Forwarder
  readonly breaker: CircuitBreaker
  readonly retry: RetryPolicy
  readonly random: () => number
  readonly logger: Logger
  readonly onAttempts: Observer['attemptsEnded'] | undefined
  readonly onState: (() => void) | undefined
  /** Called with the promise of settlements that are being written, and the number of calls that they settle. */
  readonly onCommit: (kept: Promise<void>, calls: number) => void
}

/** Settles calls that have ended. Returns a function that logs and counts the attempts, to be called later. */
export type SettleCalls = (feed: Feed, ended: readonly EndedCall[]) => () => void

export function createSettleCalls ({ forwarder, breaker, retry, random, logger, onAttempts, onState, onCommit }: SettleCallsOptions): SettleCalls {
  const settlementOf = createSettle({ forwarder, retry, random, logger })

  /** Tells the breaker about one call. A batch counts as one success or one failure. */
  function note (feed: Feed, outcomes: readonly Outcome[]): void {
    const before = breaker.state()
    // A destination that rejects one delivery for good is up and answers.
    if (outcomes.some(({ status }) => status !== 'retry')) breaker.succeeded()
    else breaker.failed()
    const after = breaker.state()
    if ((before === 'closed') !== (after === 'closed')) onCommit(feed.noteBreaker(after), 1)
    if (before !== after) onState?.()
    if (before === 'closed' && after === 'open') logger.warn({ probeInMs: Math.ceil(breaker.reopensInMs()) }, 'forwarder paused')
    if (before !== 'closed' && after === 'closed') logger.info('forwarder goes on')
  }

  return (feed, ended) => {
    const settlements: Settlement[] = []
    const settled: Settled[] = []
    let position: string | undefined
    for (const call of ended) {
      if (call.result === undefined) {
        settlements.push(...call.claims.map(returned))
        continue
      }
      const { outcomes } = call.result
      note(feed, outcomes)
      for (const [index, claim] of call.claims.entries()) {
        const each = settlementOf(claim, outcomes[index] ?? nothing, call)
        settled.push(each)
        settlements.push(each.settlement)
      }
      position = call.result.position ?? position
    }
    onCommit(feed.settle(settlements, position), ended.length)
    return () => {
      for (const { result, durationMs } of ended) {
        if (result !== undefined) onAttempts?.({ forwarder: forwarder.name, durationMs, ...summarize(result.outcomes) })
      }
      for (const { log } of settled) log()
    }
  }
}

/** Makes the settlement that gives a delivery back as if it had not been claimed. */
export function returned (claim: Claim): Settlement {
  return { claim, result: { status: 'returned' } }
}

const nothing: Outcome = { status: 'retry', reason: 'The forwarder returned nothing' }

/** Counts the outcomes of a call, and picks the last one. */
function summarize (outcomes: readonly Outcome[]): Pick<EndedAttempts, 'counts' | 'last'> {
  const counts = { forwarded: 0, retry: 0, dead: 0 }
  for (const { status } of outcomes) counts[status]++
  const last = outcomes.at(-1) ?? nothing
  return { counts, last: 'reason' in last ? { status: last.status, reason: last.reason } : { status: last.status } }
}
