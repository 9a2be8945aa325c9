import { QUOTE, stringEnd } from './members.js'

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20

/** Marks the bytes that have white space of JSON beside them. */
const STRUCTURE = new Uint8Array(256)
for (const byte of Buffer.from(' {}[]:,')) STRUCTURE[byte] = 1

/**
 * The body without the white space (space, tab, CR, LF) that stands between the tokens of JSON, all other bytes as they were:
 * the text that Voucherify signs. Gives back the same object where there is none. Never throws: it takes any bytes, and
 * works on bytes because all that it looks for is ASCII, which UTF-8 has inside of no other character.
 *
 * White space is between two tokens where a bracket, a brace, a colon, a comma or an edge of the text is beside it. Inside of a
 * token (`nu ll`) it stays: without it, bytes that are no JSON would come out as a text that somebody has signed.
 */
export function canonicalBytes (rawBody: Uint8Array): Uint8Array {
  const first = firstWhiteSpace(rawBody)
  // The usual body is compact: nothing is copied.
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
 * The same for what is known to be a JSON object or array, where most texts need no look at every byte: between two tokens of JSON stands a bracket,
 * a brace, a colon or a comma, so no white space is outside of strings where none is beside one of those. A tab or a line break is
 * in no string.
 */
export function compactJson (json: Uint8Array): Uint8Array {
  return isCompact(json) ? json : canonicalBytes(json)
}

/** `false` says nothing: what looks like it may be within a string. */
function isCompact (json: Uint8Array): boolean {
  if (json.includes(LINE_FEED) || json.includes(CARRIAGE_RETURN) || json.includes(TAB)) return false
  for (let at = json.indexOf(SPACE); at !== -1; at = json.indexOf(SPACE, at + 1)) {
    if (isStructure(json[at - 1]) || isStructure(json[at + 1])) return false
  }
  return true
}

/** The edges of the text count too. */
function isStructure (byte: number | undefined): boolean {
  return byte === undefined || STRUCTURE[byte] === 1
}

/** The index of the first white space outside of strings, or -1. */
function firstWhiteSpace (bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) at = stringEnd(bytes, at)
    else if (isWhiteSpace(byte)) return at
  }
  return -1
}

/** The index after the white space that begins at `start`. */
function whiteSpaceEnd (bytes: Uint8Array, start: number): number {
  let end = start + 1
  while (end < bytes.length && isWhiteSpace(bytes[end] ?? 0)) end++
  return end
}

function isWhiteSpace (byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB
}
