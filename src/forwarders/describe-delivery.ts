import type { Delivery } from '../delivery/delivery.js'
import { describeEvent, eventBody, type EventDescription } from '../voucherify/describe-event.js'
import { parseBody } from '../voucherify/parse-body.js'

/**
 * What a log line says of a delivery: flat fields, and nothing of the person but the id. Fields that the event does not
 * have are left out.
 */
export function describeDelivery (delivery: Delivery, { withData }: { readonly withData: boolean }): Record<string, unknown> {
  const parsed = withData || delivery.description === undefined ? parseBody(delivery.rawBody) : undefined
  const body = parsed?.ok === true ? parsed.value : undefined
  const { occurredAt, ...tiers } = delivery.description ?? describeEvent(body)
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
  if (withData && body !== undefined) fields['data'] = eventBody(body)
  return fields
}

function putKnown (fields: Record<string, unknown>, name: string, value: EventDescription[string] | null | undefined): void {
  if (value !== null && value !== undefined) fields[name] = value
}
