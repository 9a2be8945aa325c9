import type { Logger } from 'pino'
import type { Observer } from '../delivery/observation.js'
import { describeEvent, eventBody } from '../voucherify/describe-event.js'
import { readSubject } from '../voucherify/identify.js'

/** Logs one line for each event that was accepted or is a duplicate, with what a person at a terminal wants to know. */
export function logEvents (logger: Logger): Observer {
  return {
    webhookAnswered (answer) {
      if (answer.outcome === 'refused' || !logger.isLevelEnabled('info')) return
      const { outcome, deliveryId, eventType, verdict, quarantined, faults, body } = answer
      const { occurredAt: _occurredAt, ...tiers } = describeEvent(body)
      logger.info({ outcome, deliveryId, eventType, verdict, quarantined, faults, customerId: readSubject(eventBody(body)).customerId, ...tiers }, eventType)
    }
  }
}
