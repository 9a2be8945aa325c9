import { QUOTE, stringEnd } from './json-string.js'

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20

/**
 * The body without the white space (space, tab, CR, LF) that stands outside of JSON strings, all other bytes as they were:
 * the text that Voucherify signs. Gives back the same object where there is none. Never throws: it takes any bytes, and
 * works on bytes because all that it looks for is ASCII, which UTF-8 has inside of no other character.
 *
 * That `1 2` and `12` come out the same makes no forgery: white space between the bytes of one token is never JSON.
 */
export function canonicalBytes (rawBody: Uint8Array): Uint8Array {
  const first = firstWhiteSpace(rawBody)
  // The usual body is compact: nothing is copied.
  if (first === -1) return rawBody
  const kept = new Uint8Array(rawBody)
  let length = first
  for (let at = first; at < rawBody.length; at++) {
    const byte = rawBody[at] ?? 0
    if (isWhiteSpace(byte)) continue
    const end = byte === QUOTE ? stringEnd(rawBody, at) : at
    for (; at < end; at++) kept[length++] = rawBody[at] ?? 0
    kept[length++] = rawBody[end] ?? 0
  }
  return kept.subarray(0, length)
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

function isWhiteSpace (byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB
}
