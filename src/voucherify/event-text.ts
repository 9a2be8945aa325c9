import { canonicalBytes } from './canonical-bytes.js'
import { isEnvelope } from './identify.js'
import { memberText } from './members.js'
import { isJsonObject, parseBody } from './parse-body.js'

/**
 * The event's own JSON text on one line, number for number as it was sent: the `data` of an envelope, or the whole body.
 * `undefined` where the raw body is not a JSON object.
 */
export function eventText (rawBody: Uint8Array): string | undefined {
  const parsed = parseBody(rawBody)
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined
  // Without the white space outside of strings there is no line break left: inside of them JSON has none.
  const text = canonicalBytes(rawBody)
  const data = isEnvelope(parsed.value) ? memberText(text, 'data') : undefined
  return Buffer.from(data ?? text).toString('utf8').replace(/^\uFEFF/, '')
}
