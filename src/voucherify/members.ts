import { stringEnd } from './json-string.js'

/** What a byte is outside of strings; 0 for most. */
const KIND = new Uint8Array(256)
const STRING = 1
const NAME_END = 2
const OPENING = 3
const CLOSING = 4
const NEXT = 5
const WHITE_SPACE = 6
const BACKSLASH = 0x5C
for (const [kind, bytes] of [[STRING, '"'], [NAME_END, ':'], [OPENING, '{['], [CLOSING, '}]'], [NEXT, ','], [WHITE_SPACE, ' \t\n\r']] as const) {
  for (const byte of Buffer.from(bytes)) KIND[byte] = kind
}

/**
 * The JSON text of one member of the object that `json` holds, exactly as it was written: `1.0` stays `1.0`. Where the key
 * stands more than once the last one counts, as it does for `JSON.parse`. `undefined` where there is none.
 * @param json the text of a JSON object, known to be well-formed
 */
export function memberText (json: Uint8Array, key: string): Uint8Array | undefined {
  return scan(json, [Buffer.from(key)], false)?.[0]
}

/**
 * The same for several members in one pass, in the order of the keys. `undefined` for all of them where there is white space
 * outside of strings, which is found in the same pass.
 * @param keys in UTF-8
 */
export function compactMemberTexts (json: Uint8Array, keys: readonly Uint8Array[]): ReadonlyArray<Uint8Array | undefined> | undefined {
  return scan(json, keys, true)
}

function scan (json: Uint8Array, keys: readonly Uint8Array[], compactOnly: boolean): ReadonlyArray<Uint8Array | undefined> | undefined {
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
    } else if (kind === WHITE_SPACE) {
      if (compactOnly) return undefined
    } else if (depth > 1 || kind === OPENING) {
      // Within a value only its end counts.
      if (kind === OPENING) depth++
      else if (kind === CLOSING) depth--
    } else if (kind === NAME_END) {
      if (valueStart === -1) valueStart = at + 1
    } else {
      const index = keyStart === -1 || valueStart === -1 ? -1 : indexOfKey(json, keyStart + 1, keyEnd, keys)
      if (index !== -1) found[index] = json.subarray(valueStart, at)
      keyStart = -1
      valueStart = -1
      if (kind === CLOSING) depth--
    }
  }
  return found
}

/** Which of the keys stands from `start` up to `end`; -1 where it is none of them. */
function indexOfKey (json: Uint8Array, start: number, end: number, keys: readonly Uint8Array[]): number {
  for (let at = start; at < end; at++) {
    if (json[at] !== BACKSLASH) continue
    const text = Buffer.from(json.buffer, json.byteOffset + start - 1, end - start + 2).toString('utf8')
    const key = Buffer.from(String(JSON.parse(text)))
    return keys.findIndex((each) => key.equals(each))
  }
  return keys.findIndex((each) => isAt(each, json, start, end))
}

/** Compared here, because it is a few bytes: to make a text or a view of them takes longer. */
function isAt (key: Uint8Array, json: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let at = 0; at < key.length; at++) if (json[start + at] !== key[at]) return false
  return true
}
