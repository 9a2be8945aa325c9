const OPENING_BRACKET = 0x5B
const OPENING_BRACE = 0x7B
const CLOSING_BRACKET = 0x5D
const CLOSING_BRACE = 0x7D
const QUOTE = 0x22
const BACKSLASH = 0x5C
const HEX_DIGITS = 4
/** The beginnings of an escaped surrogate. The escapes of U+D000 to U+D7FF begin in the same way. */
const SURROGATES = [Buffer.from('\\ud'), Buffer.from('\\uD')]
const REPLACEMENT = Buffer.from('\\ufffd')

/** The most levels of arrays and objects in a body that goes into a line. jq up to 1.6 reads 255 levels, and the line itself is one. */
export const READABLE_LEVELS = 250

/** Whether arrays and objects in a JSON text are nested more than `levels` deep. */
export function isDeeperThan (levels: number, text: Uint8Array): boolean {
  // Nearly all texts have fewer than `levels` brackets and braces in total. Counting those takes a tenth of the time of a walk over all bytes.
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  return count(bytes, OPENING_BRACE, levels) + count(bytes, OPENING_BRACKET, levels) > levels && depthOf(text) > levels
}

/** Counts a byte, and stops at one more than `most`. */
function count (bytes: Buffer, byte: number, most: number): number {
  let found = 0
  for (let at = bytes.indexOf(byte); at !== -1 && found <= most; at = bytes.indexOf(byte, at + 1)) found++
  return found
}

function depthOf (text: Uint8Array): number {
  let [depth, deepest] = [0, 0]
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) depth--
  }
  return deepest
}

/**
 * Replaces each escape of an unpaired surrogate in JSON with U+FFFD, in place. JavaScript reads such escapes. jq, Python's `json.loads` with
 * output in UTF-8, and most databases do not.
 */
export function replaceHalfPairs (json: Buffer): void {
  for (const begin of SURROGATES) {
    for (let at = json.indexOf(begin); at !== -1; at = json.indexOf(begin, at)) {
      at = isEscape(json, at) ? replaceAt(json, at) : at + begin.length
    }
  }
}

/** Does the same for a string, which may also contain unpaired surrogates that are not escaped. */
export function wellFormedJson (json: string): string {
  const text = json.toWellFormed()
  if (!/\\ud/i.test(text)) return text
  const bytes = Buffer.from(text)
  replaceHalfPairs(bytes)
  return bytes.toString()
}

/** Whether the backslash begins an escape, and is not itself escaped. */
function isEscape (json: Buffer, at: number): boolean {
  let before = at
  while (before > 0 && json[before - 1] === BACKSLASH) before--
  return (at - before) % 2 === 0
}

/** Replaces the escape if its surrogate is unpaired. Returns where to continue. */
function replaceAt (json: Buffer, at: number): number {
  const end = at + REPLACEMENT.length
  const unit = unitAt(json, at)
  if (isHigh(unit) && isLow(unitAt(json, end))) return end + REPLACEMENT.length
  // If the first half of a pair is spelled in the other case, the search finds the second half separately.
  const isSecond = isLow(unit) && isHigh(unitAt(json, at - REPLACEMENT.length)) && isEscape(json, at - REPLACEMENT.length)
  if ((isHigh(unit) || isLow(unit)) && !isSecond) REPLACEMENT.copy(json, at)
  return end
}

/** Returns the UTF-16 code unit of the escape at this index; `NaN` if there is no escape. */
function unitAt (json: Buffer, at: number): number {
  if (at < 0 || json[at] !== BACKSLASH || json[at + 1] !== REPLACEMENT[1]) return NaN
  const digits = json.toString('latin1', at + 2, at + 2 + HEX_DIGITS)
  return /^[\da-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : NaN
}

function isHigh (unit: number): boolean {
  return unit >= 0xD800 && unit <= 0xDBFF
}

function isLow (unit: number): boolean {
  return unit >= 0xDC00 && unit <= 0xDFFF
}
