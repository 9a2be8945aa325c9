import type { Delivery } from '../../delivery/delivery.js'
import { binaryCloudEvent, contentTypeOf, structuredCloudEvent, type Content } from './cloud-event.js'

/** `voucherify`: as received. The others: CloudEvents 1.0 over HTTP, in one of its two modes. */
export type Format = 'voucherify' | 'cloudevents-structured' | 'cloudevents-binary'

/** Returns the body and headers to send for a delivery. */
export function contentOf (delivery: Delivery, format: Format): Content {
  switch (format) {
    case 'voucherify': return asReceived(delivery)
    case 'cloudevents-structured': return structuredCloudEvent(delivery)
    case 'cloudevents-binary': return binaryCloudEvent(delivery)
  }
}

/** The sender's signature covers exactly the received bytes, so only this format sends it. */
function asReceived (delivery: Delivery): Content {
  const signature = delivery.headers['x-voucherify-signature']
  const headers = ['content-type', contentTypeOf(delivery)]
  if (signature !== undefined) headers.push('x-voucherify-signature', signature)
  return { headers, body: delivery.rawBody }
}
