import { compactJson } from './canonical-bytes.js'
import { isEnvelope } from './identify.js'
import { memberText, memberTexts } from './members.js'
import { isJsonObject, parseBody } from './parse-body.js'

/**
 * The event's own JSON text on one line, number for number as it was sent: the `data` of an envelope, or the whole body.
 * `undefined` where the raw body is not a JSON object.
 * @param judgedValid whether it was parsed before and its schema found to hold: then it need not be parsed to tell an envelope
 */
export function eventText (rawBody: Uint8Array, { judgedValid = false }: { readonly judgedValid?: boolean } = {}): string | undefined {
  return judgedValid ? envelopeData(rawBody) ?? parsedText(rawBody) : parsedText(rawBody)
}

/** The `data` of what is an envelope without a doubt; parsing it takes several times as long as finding its two keys. */
function envelopeData (rawBody: Uint8Array): string | undefined {
  const [data, event] = memberTexts(compactJson(rawBody), ['data', 'event'])
  return data === undefined || event === undefined ? undefined : textOf(data)
}

function parsedText (rawBody: Uint8Array): string | undefined {
  const parsed = parseBody(rawBody)
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined
  // Without the white space outside of strings there is no line break left: inside of them JSON has none.
  const text = compactJson(rawBody)
  const data = isEnvelope(parsed.value) ? memberText(text, 'data') : undefined
  return textOf(data ?? text).replace(/^\uFEFF/, '')
}

function textOf (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
