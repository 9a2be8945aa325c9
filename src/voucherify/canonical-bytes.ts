const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * The body without the white space (space, tab, CR, LF) that stands outside of JSON strings, all other bytes as they were:
 * the text that Voucherify signs. Gives back the same object where there is none. Never throws: it takes any bytes, and
 * works on bytes because all that it looks for is ASCII, which UTF-8 has inside of no other character.
 *
 * That `1 2` and `12` come out the same makes no forgery: white space between the bytes of one token is never JSON.
 */
export function canonicalBytes (rawBody: Uint8Array): Uint8Array {
  let kept: Uint8Array | undefined
  let length = 0
  let inString = false
  let escaped = false
  for (const byte of rawBody) {
    if (inString) {
      if (escaped) escaped = false
      else if (byte === BACKSLASH) escaped = true
      else if (byte === QUOTE) inString = false
    } else if (byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB) {
      // Copied only now, so that a compact body, the usual one, costs no memory.
      kept ??= new Uint8Array(rawBody)
      continue
    } else if (byte === QUOTE) {
      inString = true
    }
    if (kept !== undefined) kept[length] = byte
    length += 1
  }
  return kept === undefined ? rawBody : kept.subarray(0, length)
}
