import type { Logger } from 'pino'
import type { Forwarder, Outcome } from './forwarder.js'
import type { AttemptRecord, Claim, Settlement } from './journal.js'
import { backoffMs, type RetryPolicy } from './retry-policy.js'

export interface SettlementOptions {
  readonly forwarder: Pick<Forwarder, 'giveUpMs' | 'recordsSuccess'>
  readonly retry: RetryPolicy
  readonly random: () => number
  readonly logger: Logger
}

/** Decides what happens to a delivery after an attempt. */
export type Settle = (claim: Claim, outcome: Outcome, record: AttemptRecord) => Settled

export interface Settled {
  readonly settlement: Settlement
  /**
   * Writes the attempt's log line. The caller may first begin the next attempt: with one connection, a line takes a good part of the time of an
   * attempt.
   */
  readonly log: () => void
}

export function createSettle ({ forwarder, retry, random, logger }: SettlementOptions): Settle {
  const giveUpMs = forwarder.giveUpMs ?? retry.giveUpMs

  return (claim, outcome, { startedAt, durationMs }) => {
    const { delivery: { id: deliveryId, eventType }, attempt, replay } = claim
    const record: AttemptRecord = { startedAt, durationMs }
    const ms = Math.round(durationMs)

    function dead (reason: string): Settled {
      return {
        settlement: { claim, result: { status: 'dead', reason: withAnswer(reason, outcome) }, record },
        log () { logger.error({ deliveryId, eventType, attempt, replay, ms, reason }, 'delivery dead') }
      }
    }

    switch (outcome.status) {
      case 'forwarded': {
        const { detail } = outcome
        const recorded = forwarder.recordsSuccess === true || replay
        const result = { status: 'forwarded', detail: withAnswer(detail ?? '', outcome) } as const
        return {
          settlement: recorded ? { claim, result, record } : { claim, result },
          log () {
            // One line for each attempt. If the attempt itself writes a line to the log or a file, the line is logged at debug level only.
            if (recorded) logger.info({ deliveryId, eventType, attempt, replay, ms, detail }, 'delivery forwarded')
            else if (logger.isLevelEnabled('debug')) logger.debug({ deliveryId, eventType, attempt, replay, ms, detail }, 'delivery forwarded')
          }
        }
      }
      case 'dead':
        return dead(outcome.reason)
      case 'retry': {
        const { reason } = outcome
        const delayMs = Math.max(backoffMs(attempt, retry, random()), outcome.afterMs ?? 0)
        if (claim.waitedMs + delayMs > giveUpMs) return dead(`given up after ${attempt} attempts: ${reason}`)
        return {
          settlement: { claim, result: { status: 'retry', reason: withAnswer(reason, outcome), delayMs }, record },
          log () { logger.warn({ deliveryId, eventType, attempt, replay, ms, reason, retryInMs: Math.round(delayMs) }, 'delivery to be retried') }
        }
      }
    }
  }
}

/** Adds the destination's answer to the text. The answer is stored with the attempt but not logged. */
function withAnswer (text: string, { answer }: Outcome): string {
  return answer === undefined ? text : `${text}: ${answer}`
}
