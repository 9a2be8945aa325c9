/** The quotation mark that opens and closes a JSON string. */
export const QUOTE = 0x22
const BACKSLASH = 0x5C
const SPACE = 0x20
const COMMA = 0x2C
const COLON = 0x3A
const OPENING_BRACKET = 0x5B
const CLOSING_BRACKET = 0x5D
const OPENING_BRACE = 0x7B
const CLOSING_BRACE = 0x7D

/**
 * Returns the JSON text of one member of an object, exactly as written: `1.0` stays `1.0`. If the key occurs more than once, the last one
 * counts, as in `JSON.parse`. `undefined` if there is none.
 * @param json the text of a JSON object, known to be well-formed
 */
export function memberText (json: Uint8Array, key: string): Uint8Array | undefined {
  return scan(json, [Buffer.from(key)], false)?.[0]
}

/**
 * Does the same for several members in one pass. Returns the texts in the order of the keys; `undefined` as a whole if the same pass finds
 * white space outside of strings.
 * @param keys in UTF-8
 */
export function compactMemberTexts (json: Uint8Array, keys: readonly Uint8Array[]): ReadonlyArray<Uint8Array | undefined> | undefined {
  return scan(json, keys, true)
}

function scan (json: Uint8Array, keys: readonly Uint8Array[], compactOnly: boolean): ReadonlyArray<Uint8Array | undefined> | undefined {
  const found = keys.map((): Uint8Array | undefined => undefined)
  let keyStart = -1
  let keyEnd = -1
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
    if (byte === QUOTE) {
      keyStart = at + 1
      keyEnd = stringEnd(json, at)
      at = keyEnd
    } else if (byte === COLON) {
      const end = valueEnd(json, at + 1, compactOnly)
      if (end === -1) return undefined
      const index = keyStart === -1 ? -1 : indexOfKey(json, keyStart, keyEnd, keys)
      if (index !== -1) found[index] = json.subarray(at + 1, end)
      at = end
    } else if (compactOnly && byte <= SPACE) return undefined
  }
  return found
}

/** Returns the index of the comma or brace after the value that begins at `start`; -1 if the value must be compact and is not. */
function valueEnd (json: Uint8Array, start: number, compactOnly: boolean): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const byte = json[at] ?? 0
    if (byte === QUOTE) {
      at = stringEnd(json, at)
    } else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) {
      depth++
    } else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
      if (depth === 0) return at
      depth--
    } else if (byte === COMMA) {
      if (depth === 0) return at
    } else if (compactOnly && byte <= SPACE) {
      return -1
    }
  }
  return json.length
}

/** Returns the index of the key that is at `start` up to `end`; -1 if it is none of the keys. */
function indexOfKey (json: Uint8Array, start: number, end: number, keys: readonly Uint8Array[]): number {
  for (let at = start; at < end; at++) {
    if (json[at] !== BACKSLASH) continue
    const text = Buffer.from(json.buffer, json.byteOffset + start - 1, end - start + 2).toString('utf8')
    const key = Buffer.from(String(JSON.parse(text)))
    return keys.findIndex((each) => key.equals(each))
  }
  return keys.findIndex((each) => isAt(each, json, start, end))
}

/** Compares the bytes in a loop. For a few bytes, making a text or a view takes longer. */
function isAt (key: Uint8Array, json: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let at = 0; at < key.length; at++) if (json[start + at] !== key[at]) return false
  return true
}

/** Returns the index of the quote that closes the string opened at `start`; the last index if there is none. */
export function stringEnd (bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  return bytes.length - 1
}
