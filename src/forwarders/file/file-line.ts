import type { Attempt } from '../../delivery/forwarder.js'
import { eventBytes } from '../../voucherify/event-text.js'

const END = Buffer.from('}\n')

/**
 * A line of NDJSON for each delivery, with its line break. The body is the event's own text, put in as it is. It is put
 * together as bytes: to read a body as text, and write that again, takes longer than everything else.
 */
export function fileLines (attempts: readonly Attempt[]): Buffer {
  return Buffer.concat(attempts.flatMap((attempt) => [Buffer.from(headOf(attempt)), bodyOf(attempt), END]))
}

/** All of a line that stands before the body. */
function headOf ({ delivery, replay }: Attempt): string {
  const head = JSON.stringify({
    id: delivery.id,
    receivedAt: new Date(delivery.receivedAt).toISOString(),
    eventType: delivery.eventType,
    verdict: delivery.verdict,
    source: delivery.sourceId === null ? null : { object: delivery.sourceObject, id: delivery.sourceId },
    eventId: delivery.eventId,
    ...(replay ? { replay } : {})
  })
  return `${head.slice(0, -1)},"body":`
}

function bodyOf ({ delivery: { rawBody, verdict } }: Attempt): Uint8Array {
  return eventBytes(rawBody, { judgedValid: verdict === 'valid' }) ?? Buffer.from(JSON.stringify(Buffer.from(rawBody).toString('base64')))
}
