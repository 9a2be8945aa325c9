import type { Delivery } from '../../delivery/delivery.js'
import { binaryCloudEvent, contentTypeOf, structuredCloudEvent, type Content } from './cloud-event.js'

/** `voucherify`: as received. Else CloudEvents 1.0 over HTTP, in one of its two modes. */
export type Format = 'voucherify' | 'cloudevents-structured' | 'cloudevents-binary'

/** What is sent of a delivery. */
export function contentOf (delivery: Delivery, format: Format): Content {
  switch (format) {
    case 'voucherify': return asReceived(delivery)
    case 'cloudevents-structured': return structuredCloudEvent(delivery)
    case 'cloudevents-binary': return binaryCloudEvent(delivery)
  }
}

/** The sender's signature is of these bytes and of no others, so it goes with them alone. */
function asReceived (delivery: Delivery): Content {
  const signature = delivery.headers['x-voucherify-signature']
  const headers = ['content-type', contentTypeOf(delivery)]
  if (signature !== undefined) headers.push('x-voucherify-signature', signature)
  return { headers, body: delivery.rawBody }
}
