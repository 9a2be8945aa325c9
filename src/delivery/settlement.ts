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

    const fields = (): object => ({ deliveryId: delivery.id, eventType: delivery.eventType, attempt, replay, ms: Math.round(durationMs) })

    function dead (reason: string): Settlement {
      logger.error({ ...fields(), reason }, 'delivery dead')
      return { claim, result: { status: 'dead', reason: withAnswer(reason, outcome) }, record }
    }

    switch (outcome.status) {
      case 'forwarded': {
        const recorded = forwarder.recordsSuccess === true || replay
        // One line an attempt, but where the attempt is a line itself, in the log or a file.
        if (recorded) logger.info({ ...fields(), detail: outcome.detail }, 'delivery forwarded')
        else if (logger.isLevelEnabled('debug')) logger.debug({ ...fields(), detail: outcome.detail }, 'delivery forwarded')
        const result = { status: 'forwarded', detail: withAnswer(outcome.detail ?? '', outcome) } as const
        return recorded ? { claim, result, record } : { claim, result }
      }
      case 'dead':
        return dead(outcome.reason)
      case 'retry': {
        const delayMs = Math.max(backoffMs(attempt, retry, random()), outcome.afterMs ?? 0)
        if (claim.waitedMs + delayMs > giveUpMs) return dead(`given up after ${attempt} attempts: ${outcome.reason}`)
        logger.warn({ ...fields(), reason: outcome.reason, retryInMs: Math.round(delayMs) }, 'delivery to be retried')
        return { claim, result: { status: 'retry', reason: withAnswer(outcome.reason, outcome), delayMs }, record }
      }
    }
  }
}

/** What is kept of an attempt, and not logged. */
function withAnswer (text: string, { answer }: Outcome): string {
  return answer === undefined ? text : `${text}: ${answer}`
}
