import { stringEnd } from './json-string.js'

/** What a byte is outside of strings; 0 for most. */
const KIND = new Uint8Array(256)
const STRING = 1
const NAME_END = 2
const OPENING = 3
const CLOSING = 4
const NEXT = 5
for (const [kind, bytes] of [[STRING, '"'], [NAME_END, ':'], [OPENING, '{['], [CLOSING, '}]'], [NEXT, ',']] as const) {
  for (const byte of Buffer.from(bytes)) KIND[byte] = kind
}

/**
 * The JSON text of one member of the object that `json` holds, exactly as it was written: `1.0` stays `1.0`. Where the key
 * stands more than once the last one counts, as it does for `JSON.parse`. `undefined` where there is none.
 * @param json the text of a JSON object, known to be well-formed
 */
export function memberText (json: Uint8Array, key: string): Uint8Array | undefined {
  return memberTexts(json, [key])[0]
}

/** The same for several members in one pass, in the order of the keys. */
export function memberTexts (json: Uint8Array, keys: readonly string[]): ReadonlyArray<Uint8Array | undefined> {
  const found = keys.map((): Uint8Array | undefined => undefined)
  let depth = 0
  let keyStart = -1
  let keyEnd = -1
  let valueStart = -1
  for (let at = 0; at < json.length; at++) {
    const kind = KIND[json[at] ?? 0]
    if (kind === 0) continue
    if (kind === STRING) {
      const end = stringEnd(json, at)
      if (depth === 1 && valueStart === -1) {
        keyStart = at
        keyEnd = end
      }
      at = end
    } else if (depth > 1 || kind === OPENING) {
      // Within a value only its end counts.
      if (kind === OPENING) depth++
      else if (kind === CLOSING) depth--
    } else if (kind === NAME_END) {
      if (valueStart === -1) valueStart = at + 1
    } else {
      const index = keyStart === -1 || valueStart === -1 ? -1 : keys.indexOf(keyOf(json.subarray(keyStart, keyEnd + 1)))
      if (index !== -1) found[index] = json.subarray(valueStart, at)
      keyStart = -1
      valueStart = -1
      if (kind === CLOSING) depth--
    }
  }
  return found
}

function keyOf (keyText: Uint8Array): string {
  const text = Buffer.from(keyText.buffer, keyText.byteOffset, keyText.byteLength).toString('utf8')
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}
