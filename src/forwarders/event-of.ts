import type { Delivery } from '../delivery/delivery.js'
import { eventBytes } from '../voucherify/event-text.js'

/** The event's own JSON text on one line, in UTF-8, number for number as it was sent; `undefined` where the raw body is not a JSON object. */
export function eventOf ({ rawBody, verdict, eventPlace }: Delivery): Uint8Array | undefined {
  if (eventPlace !== undefined) return rawBody.subarray(eventPlace.start, eventPlace.end)
  return eventBytes(rawBody, { judgedValid: verdict === 'valid' })
}
