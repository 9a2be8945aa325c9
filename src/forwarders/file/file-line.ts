import type { Attempt } from '../../delivery/forwarder.js'
import { eventOf } from '../describe-delivery.js'
import { isDeeperThan, READABLE_LEVELS, replaceHalfPairs } from '../../voucherify/readable-json.js'

const END = '}\n'

/**
 * Returns a line of NDJSON per delivery, with its line break. The body is the event's own text. Only unpaired surrogates are replaced,
 * because many readers refuse them. Lines are assembled as bytes: decoding a body and encoding it again would take longer than everything else.
 */
export function fileLines (attempts: readonly Attempt[]): Buffer {
  const parts = attempts.map((attempt) => ({ head: headOf(attempt), body: bodyOf(attempt) }))
  const lines = Buffer.allocUnsafe(parts.reduce((bytes, { head, body }) => bytes + Buffer.byteLength(head) + body.byteLength + END.length, 0))
  let at = 0
  for (const { head, body } of parts) {
    at += lines.write(head, at)
    lines.set(body, at)
    at += body.byteLength
    at += lines.write(END, at)
  }
  replaceHalfPairs(lines)
  return lines
}

/** Returns the part of a line before the body. */
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

function bodyOf ({ delivery }: Attempt): Uint8Array {
  const event = eventOf(delivery)
  return event !== undefined && !isDeeperThan(READABLE_LEVELS, event) ? event : Buffer.from(JSON.stringify(Buffer.from(delivery.rawBody).toString('base64')))
}
