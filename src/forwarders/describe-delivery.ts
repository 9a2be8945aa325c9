import type { Delivery } from '../delivery/delivery.js'
import { describeEvent, eventBody, type EventDescription } from '../voucherify/describe-event.js'
import { eventBytes } from '../voucherify/event-text.js'
import { parseBody } from '../voucherify/parse-body.js'
import { isDeeperThan, READABLE_LEVELS } from '../voucherify/readable-json.js'

/** Replaces an event that is nested too deeply for log readers. Redaction works on the parsed event, so no other form of it may be shown. */
const TOO_DEEP = `nested more than ${READABLE_LEVELS} levels deep, so not shown here`

/** Returns the fields of a delivery's log line. They are flat, and name the customer by id only. Fields that the event lacks are left out. */
export function describeDelivery (delivery: Delivery, { withData }: { readonly withData: boolean }): Record<string, unknown> {
  const parsed = parseBody(delivery.rawBody)
  const body = parsed.ok ? parsed.value : undefined
  const { occurredAt, ...tiers } = describeEvent(body)
  const fields: Record<string, unknown> = {
    deliveryId: delivery.id,
    eventType: delivery.eventType,
    verdict: delivery.verdict,
    receivedAt: new Date(delivery.receivedAt).toISOString()
  }
  putKnown(fields, 'occurredAt', occurredAt)
  putKnown(fields, 'eventId', delivery.eventId)
  putKnown(fields, 'sourceId', delivery.sourceId)
  putKnown(fields, 'projectId', delivery.projectId)
  putKnown(fields, 'customerId', delivery.customerId)
  putKnown(fields, 'campaignId', delivery.campaignId)
  Object.assign(fields, tiers)
  fields['duplicates'] = delivery.duplicates
  if (withData && body !== undefined) fields['data'] = isDeeperThan(READABLE_LEVELS, delivery.rawBody) ? TOO_DEEP : eventBody(body)
  return fields
}

function putKnown (fields: Record<string, unknown>, name: string, value: EventDescription[string] | null | undefined): void {
  if (value !== null && value !== undefined) fields[name] = value
}

/** Returns the event's own JSON text on one line, in UTF-8, with each number as it was sent; `undefined` if the raw body is not a JSON object. */
export function eventOf ({ rawBody, verdict }: Delivery): Uint8Array | undefined {
  return eventBytes(rawBody, { judgedValid: verdict === 'valid' })
}
