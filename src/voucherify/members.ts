import { QUOTE, stringEnd } from './json-string.js'

const COMMA = 0x2C
const COLON = 0x3A
const OPEN_BRACE = 0x7B
const CLOSE_BRACE = 0x7D
const OPEN_BRACKET = 0x5B
const CLOSE_BRACKET = 0x5D

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
  let keyText: Uint8Array | undefined
  let valueStart = -1
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) {
      const end = stringEnd(json, at)
      if (depth === 1 && valueStart === -1) keyText = json.subarray(at, end + 1)
      at = end
    } else if (byte === COLON && depth === 1 && valueStart === -1) {
      valueStart = at + 1
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET || (byte === COMMA && depth === 1)) {
      if (depth === 1) {
        const index = keyText === undefined || valueStart === -1 ? -1 : keys.indexOf(keyOf(keyText))
        if (index !== -1) found[index] = json.subarray(valueStart, at)
        valueStart = -1
        keyText = undefined
      }
      if (byte !== COMMA) depth--
    }
  }
  return found
}

function keyOf (keyText: Uint8Array): string {
  const text = Buffer.from(keyText.buffer, keyText.byteOffset, keyText.byteLength).toString('utf8')
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}
