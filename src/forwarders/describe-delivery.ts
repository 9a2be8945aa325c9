import type { Delivery } from '../delivery/delivery.js'
import { isEnvelope } from '../voucherify/identify.js'
import { isJsonObject, parseBody, type JsonObject } from '../voucherify/parse-body.js'

/**
 * What a log line says of a delivery: flat fields, and nothing of the person but the id. Fields that the event does not
 * have are left out.
 */
export function describeDelivery (delivery: Delivery, { withData }: { readonly withData: boolean }): Record<string, unknown> {
  const event = readEvent(delivery.rawBody)
  const envelope = event.envelope
  return withoutAbsent({
    deliveryId: delivery.id,
    eventType: delivery.eventType,
    verdict: delivery.verdict,
    receivedAt: new Date(delivery.receivedAt).toISOString(),
    occurredAt: event.data?.['created_at'] ?? objectOr(envelope?.['event'])['created_at'] ?? envelope?.['created_at'],
    eventId: delivery.eventId,
    sourceId: delivery.sourceId,
    projectId: delivery.projectId,
    customerId: delivery.customerId,
    campaignId: delivery.campaignId,
    ...tierFields('tier', event.data?.['loyalty_tier']),
    ...tierFields('tierFrom', event.data?.['loyalty_tier_from']),
    ...tierFields('tierTo', event.data?.['loyalty_tier_to']),
    duplicates: delivery.duplicates,
    data: withData ? event.data ?? event.body : undefined
  })
}

interface ReadEvent {
  readonly body: unknown
  readonly envelope: JsonObject | undefined
  /** The event's own body, in or out of an envelope. */
  readonly data: JsonObject | undefined
}

function readEvent (rawBody: Uint8Array): ReadEvent {
  const parsed = parseBody(rawBody)
  const body = parsed.ok ? parsed.value : undefined
  if (!isJsonObject(body)) return { body, envelope: undefined, data: undefined }
  if (!isEnvelope(body)) return { body, envelope: undefined, data: body }
  return { body, envelope: body, data: isJsonObject(body['data']) ? body['data'] : undefined }
}

/** A tier's id, name, and the points that it goes from and to. */
function tierFields (prefix: string, value: unknown): Record<string, unknown> {
  if (!isJsonObject(value)) return {}
  const points = isJsonObject(value['points']) ? value['points'] : objectOr(objectOr(value['config'])['points'])
  return {
    [`${prefix}Id`]: value['id'],
    [`${prefix}Name`]: value['name'],
    [`${prefix}PointsFrom`]: points['from'],
    [`${prefix}PointsTo`]: points['to']
  }
}

function objectOr (value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

function withoutAbsent (fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
}
