import { isUtf8 } from 'node:buffer'
import { compactJson } from './canonical-bytes.js'
import { isEnvelope } from './identify.js'
import { compactMemberTexts, memberText } from './members.js'
import { isJsonObject, parseBody } from './parse-body.js'

export interface EventTextOptions {
  /** Whether the event was judged valid before. Then no parsing is needed to recognize an envelope. */
  readonly judgedValid?: boolean
}

const OPENING_BRACE = 0x7B
const DATA_AND_EVENT = [Buffer.from('data'), Buffer.from('event')]
const BYTE_ORDER_MARK = Buffer.from('\uFEFF')

/**
 * Returns the event's own JSON text on one line, each number as it was sent: the `data` of an envelope, or the whole body. The bytes are UTF-8,
 * whatever was sent. `undefined` if the raw body is not a JSON object.
 */
export function eventBytes (rawBody: Uint8Array, { judgedValid = false }: EventTextOptions = {}): Uint8Array | undefined {
  const bytes = judgedValid ? envelopeData(rawBody) ?? parsedData(rawBody) : parsedData(rawBody)
  return bytes === undefined || isUtf8(bytes) ? bytes : Buffer.from(toBuffer(bytes).toString('utf8'))
}

/** Returns the `data` if the body is certainly an envelope. Finding its two keys is several times as fast as parsing it. */
function envelopeData (rawBody: Uint8Array): Uint8Array | undefined {
  const [data, event] = compactMemberTexts(rawBody, DATA_AND_EVENT) ?? compactMemberTexts(compactJson(rawBody), DATA_AND_EVENT) ?? []
  return event?.[0] === OPENING_BRACE ? data : undefined
}

function parsedData (rawBody: Uint8Array): Uint8Array | undefined {
  const parsed = parseBody(rawBody)
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined
  // White space outside of strings is removed, and JSON strings contain no line breaks. So the text is one line.
  const text = compactJson(rawBody)
  const data = isEnvelope(parsed.value) ? memberText(text, 'data') : undefined
  if (data !== undefined) return data
  return BYTE_ORDER_MARK.equals(text.subarray(0, BYTE_ORDER_MARK.byteLength)) ? text.subarray(BYTE_ORDER_MARK.byteLength) : text
}

function toBuffer (bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
