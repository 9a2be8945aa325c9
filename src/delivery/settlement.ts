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

/** Decides what becomes of a delivery after an attempt, and logs it. */
export type Settle = (claim: Claim, outcome: Outcome, record: AttemptRecord) => Settlement

export function createSettle ({ forwarder, retry, random, logger }: SettlementOptions): Settle {
  const giveUpMs = forwarder.giveUpMs ?? retry.giveUpMs

  return (claim, outcome, { startedAt, durationMs }) => {
    const { delivery, attempt, replay } = claim
    const record: AttemptRecord = { startedAt, durationMs }

    function log (level: 'debug' | 'info' | 'warn' | 'error', message: string, more: object): void {
      logger[level]({ deliveryId: delivery.id, eventType: delivery.eventType, attempt, replay, ms: Math.round(durationMs), ...more }, message)
    }

    function dead (reason: string): Settlement {
      log('error', 'delivery dead', { reason })
      return { claim, result: { status: 'dead', reason: withAnswer(reason, outcome) }, record }
    }

    switch (outcome.status) {
      case 'forwarded': {
        const recorded = forwarder.recordsSuccess === true || replay
        // One line an attempt, but where the attempt is a line itself, in the log or a file.
        const level = recorded ? 'info' : 'debug'
        if (logger.isLevelEnabled(level)) log(level, 'delivery forwarded', { detail: outcome.detail })
        const result = { status: 'forwarded', detail: withAnswer(outcome.detail ?? '', outcome) } as const
        return recorded ? { claim, result, record } : { claim, result }
      }
      case 'dead':
        return dead(outcome.reason)
      case 'retry': {
        const delayMs = Math.max(backoffMs(attempt, retry, random()), outcome.afterMs ?? 0)
        if (claim.waitedMs + delayMs > giveUpMs) return dead(`given up after ${attempt} attempts: ${outcome.reason}`)
        log('warn', 'delivery to be retried', { reason: outcome.reason, retryInMs: Math.round(delayMs) })
        return { claim, result: { status: 'retry', reason: withAnswer(outcome.reason, outcome), delayMs }, record }
      }
    }
  }
}

/** What is kept of an attempt, and not logged. */
function withAnswer (text: string, { answer }: Outcome): string {
  return answer === undefined ? text : `${text}: ${answer}`
}
