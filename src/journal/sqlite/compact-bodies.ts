import type { NewDelivery } from '../../delivery/delivery.js'

/**
 * The same deliveries with their bodies side by side in one buffer. A message to a thread copies the whole buffer behind each
 * slice, and small bodies are slices of a pool that is many times their size.
 */
export function compactBodies (deliveries: readonly NewDelivery[]): { readonly deliveries: readonly NewDelivery[], readonly buffer: ArrayBuffer } {
  const buffer = new ArrayBuffer(deliveries.reduce((bytes, { rawBody }) => bytes + rawBody.byteLength, 0))
  let at = 0
  const compacted = deliveries.map((delivery) => {
    const rawBody = new Uint8Array(buffer, at, delivery.rawBody.byteLength)
    rawBody.set(delivery.rawBody)
    at += rawBody.byteLength
    return { ...delivery, rawBody }
  })
  return { deliveries: compacted, buffer }
}
