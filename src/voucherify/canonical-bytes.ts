import { QUOTE, stringEnd } from './members.js'

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20

/** Marks the bytes beside which white space is insignificant in JSON. */
const STRUCTURE = new Uint8Array(256)
for (const byte of Buffer.from(' {}[]:,')) STRUCTURE[byte] = 1

/**
 * Returns the body without the white space (space, tab, CR, LF) between JSON tokens: the text that Voucherify signs. All other bytes stay as
 * they were. Returns the same object if there is no such white space. Accepts any bytes and never throws. It can work on bytes because all
 * bytes that matter are ASCII, which UTF-8 uses for nothing else.
 *
 * White space is between two tokens if a bracket, a brace, a colon, a comma or an edge of the text is beside it. White space inside a token
 * (`nu ll`) stays. Without it, bytes that are not JSON could turn into a text that was signed.
 */
export function canonicalBytes (rawBody: Uint8Array): Uint8Array {
  const first = firstWhiteSpace(rawBody)
  // Most bodies are compact, so nothing is copied.
  if (first === -1) return rawBody
  const kept = new Uint8Array(rawBody)
  let length = first
  for (let at = first; at < rawBody.length;) {
    const byte = rawBody[at] ?? 0
    let end = at + 1
    if (isWhiteSpace(byte)) {
      end = whiteSpaceEnd(rawBody, at)
      if (isStructure(rawBody[at - 1]) || isStructure(rawBody[end])) {
        at = end
        continue
      }
    } else if (byte === QUOTE) {
      end = stringEnd(rawBody, at) + 1
    }
    while (at < end) kept[length++] = rawBody[at++] ?? 0
  }
  return length === rawBody.length ? rawBody : kept.subarray(0, length)
}

/**
 * Does the same for bytes that are known to be a JSON object or array, and faster, because most of them need no look at every byte. Between two
 * JSON tokens there is always a bracket, a brace, a colon or a comma. So if no white space is beside one of these, there is none outside of
 * strings. Strings contain no tabs and no line breaks.
 */
export function compactJson (json: Uint8Array): Uint8Array {
  return isCompact(json) ? json : canonicalBytes(json)
}

/** Whether the JSON is surely compact. `false` proves nothing, because the white space may be in a string. */
function isCompact (json: Uint8Array): boolean {
  if (json.includes(LINE_FEED) || json.includes(CARRIAGE_RETURN) || json.includes(TAB)) return false
  for (let at = json.indexOf(SPACE); at !== -1; at = json.indexOf(SPACE, at + 1)) {
    if (isStructure(json[at - 1]) || isStructure(json[at + 1])) return false
  }
  return true
}

/** Whether a byte is a structural character. An edge of the text, `undefined`, counts as one. */
function isStructure (byte: number | undefined): boolean {
  return byte === undefined || STRUCTURE[byte] === 1
}

/** Returns the index of the first white space outside of strings, or -1. */
function firstWhiteSpace (bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) at = stringEnd(bytes, at)
    else if (isWhiteSpace(byte)) return at
  }
  return -1
}

/** Returns the index after the white space that begins at `start`. */
function whiteSpaceEnd (bytes: Uint8Array, start: number): number {
  let end = start + 1
  while (end < bytes.length && isWhiteSpace(bytes[end] ?? 0)) end++
  return end
}

function isWhiteSpace (byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB
}
