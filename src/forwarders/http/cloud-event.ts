import type { Delivery } from '../../delivery/delivery.js'
import { describeDelivery, eventOf } from '../describe-delivery.js'
import { headerText, uriSegment } from './percent-encode.js'

/** A body with its headers. */
export interface Content {
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

const JSON_TYPE = 'application/json'
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i
const FIRST_TIME = Date.parse('0000-01-01T00:00:00Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')

/** CloudEvents 1.0 in structured mode: one JSON text that contains the event's own text as it was sent. */
export function structuredCloudEvent (delivery: Delivery): Content {
  const event = eventOf(delivery)
  const contentType = event === undefined ? contentTypeOf(delivery) : JSON_TYPE
  const head = JSON.stringify({ ...attributesOf(delivery), datacontenttype: contentType }).slice(0, -1)
  const parts = event === undefined
    ? [Buffer.from(`${head},"data_base64":"${Buffer.from(delivery.rawBody).toString('base64')}"}`)]
    : [Buffer.from(`${head},"data":`), event, Buffer.from('}')]
  return { headers: ['content-type', 'application/cloudevents+json'], body: Buffer.concat(parts) }
}

/** CloudEvents 1.0 in binary mode: the body is the event's own text, and all attributes are headers. */
export function binaryCloudEvent (delivery: Delivery): Content {
  const event = eventOf(delivery)
  const attributes = Object.entries(attributesOf(delivery)).flatMap(([name, value]) => [`ce-${name}`, headerText(value)])
  return {
    headers: [...attributes, 'content-type', event === undefined ? contentTypeOf(delivery) : JSON_TYPE],
    body: event ?? delivery.rawBody
  }
}

/** Returns the context attributes except the content type of the data. */
function attributesOf (delivery: Delivery): Record<string, string> {
  const subject = delivery.customerId ?? delivery.campaignId
  return {
    specversion: '1.0',
    id: delivery.id,
    source: `//voucherify.io${segment(delivery.projectId)}${segment(delivery.sourceId)}`,
    type: `io.voucherify.${delivery.eventType}`,
    ...(subject === null ? {} : { subject }),
    time: occurredAt(delivery),
    // An extension attribute, because CloudEvents routers pass attributes on but drop our own headers.
    verdict: delivery.verdict
  }
}

function segment (id: string | null): string {
  return id === null ? '' : `/${uriSegment(id)}`
}

/** Returns when the event happened, if the event says so in a valid form; otherwise when it was received. */
function occurredAt (delivery: Delivery): string {
  const { occurredAt: said } = describeDelivery(delivery, { withData: false })
  const time = typeof said === 'string' && DATE_TIME.test(said) ? Date.parse(said) : NaN
  // The zone may move a valid time into a year of five digits, which RFC 3339 does not allow.
  return new Date(time >= FIRST_TIME && time <= LAST_TIME ? time : delivery.receivedAt).toISOString()
}

/** Returns the sender's content type. */
export function contentTypeOf (delivery: Delivery): string {
  return delivery.headers['content-type'] ?? JSON_TYPE
}
