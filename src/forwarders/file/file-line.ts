import type { Attempt } from '../../delivery/forwarder.js'
import { eventText } from '../../voucherify/event-text.js'

/** One line of NDJSON for a delivery, without its line break. The body is the event's own text, put in as it is. */
export function fileLine ({ delivery, replay }: Attempt): string {
  const head = JSON.stringify({
    id: delivery.id,
    receivedAt: new Date(delivery.receivedAt).toISOString(),
    eventType: delivery.eventType,
    verdict: delivery.verdict,
    source: delivery.sourceId === null ? null : { object: delivery.sourceObject, id: delivery.sourceId },
    eventId: delivery.eventId,
    ...(replay ? { replay } : {})
  })
  const body = eventText(delivery.rawBody, { judgedValid: delivery.verdict === 'valid' }) ?? JSON.stringify(Buffer.from(delivery.rawBody).toString('base64'))
  return `${head.slice(0, -1)},"body":${body}}`
}
