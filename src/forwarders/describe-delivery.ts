import type { Delivery } from '../delivery/delivery.js'
import { isEnvelope } from '../voucherify/identify.js'
import { isJsonObject, objectOrEmpty, parseBody, type JsonObject } from '../voucherify/parse-body.js'

/**
 * What a log line says of a delivery: flat fields, and nothing of the person but the id. Fields that the event does not
 * have are left out, and so are those that are not plain values: what stands in for an id must not bring a person along.
 */
export function describeDelivery (delivery: Delivery, { withData }: { readonly withData: boolean }): Record<string, unknown> {
  const { body, envelope, data } = readEvent(delivery.rawBody)
  const fields = plainFields({
    deliveryId: delivery.id,
    eventType: delivery.eventType,
    verdict: delivery.verdict,
    receivedAt: new Date(delivery.receivedAt).toISOString(),
    occurredAt: objectOrEmpty(envelope['event'])['created_at'] ?? data['created_at'] ?? envelope['created_at'],
    eventId: delivery.eventId,
    sourceId: delivery.sourceId,
    projectId: delivery.projectId,
    customerId: delivery.customerId,
    campaignId: delivery.campaignId,
    ...tierFields('tier', data['loyalty_tier']),
    ...tierFields('tierFrom', data['loyalty_tier_from']),
    ...tierFields('tierTo', data['loyalty_tier_to']),
    duplicates: delivery.duplicates
  })
  return withData && body !== undefined ? { ...fields, data: Object.hasOwn(envelope, 'data') ? envelope['data'] : body } : fields
}

interface ReadEvent {
  /** All that was sent; `undefined` where it is not JSON. */
  readonly body: unknown
  /** Empty where there is none. */
  readonly envelope: JsonObject
  /** The event's own body, in or out of an envelope; empty where there is none. */
  readonly data: JsonObject
}

function readEvent (rawBody: Uint8Array): ReadEvent {
  const parsed = parseBody(rawBody)
  const body = parsed.ok ? parsed.value : undefined
  if (!isJsonObject(body)) return { body, envelope: {}, data: {} }
  return isEnvelope(body) ? { body, envelope: body, data: objectOrEmpty(body['data']) } : { body, envelope: {}, data: body }
}

/** A tier's id, name, and the points that it goes from and to. */
function tierFields (prefix: string, value: unknown): JsonObject {
  const tier = objectOrEmpty(value)
  const points = isJsonObject(tier['points']) ? tier['points'] : objectOrEmpty(objectOrEmpty(tier['config'])['points'])
  return {
    [`${prefix}Id`]: tier['id'],
    [`${prefix}Name`]: tier['name'],
    [`${prefix}PointsFrom`]: points['from'],
    [`${prefix}PointsTo`]: points['to']
  }
}

function plainFields (fields: JsonObject): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' || typeof value === 'number') plain[name] = value
  }
  return plain
}
