const OPENING_BRACKET = 0x5B
const OPENING_BRACE = 0x7B
const CLOSING_BRACKET = 0x5D
const CLOSING_BRACE = 0x7D
const QUOTE = 0x22
const BACKSLASH = 0x5C
const HEX_DIGITS = 4
/** The two ways to begin the escape of half a surrogate pair, or of one of the characters U+D000 to U+D7FF. */
const SURROGATES = [Buffer.from('\\ud'), Buffer.from('\\uD')]
const REPLACEMENT = Buffer.from('\\ufffd')

/** The levels of lists and objects in a body that goes into a line: jq up to 1.6 reads 255 in a line, of which the line is one. */
export const READABLE_LEVELS = 250

/** Whether lists and objects stand in one another more than so many levels deep, in the text of JSON. */
export function isDeeperThan (levels: number, text: Uint8Array): boolean {
  // Nearly all texts have fewer than that, wherever they stand. To look for them takes a tenth of the time of a walk over all bytes.
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  return count(bytes, OPENING_BRACE, levels) + count(bytes, OPENING_BRACKET, levels) > levels && depthOf(text) > levels
}

/** How often a byte is there; no more than one above `most` is counted. */
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
 * Puts U+FFFD in the place of each escaped half of a surrogate pair that stands alone, in texts of JSON: JavaScript reads such a half, and
 * jq, Python's `json.loads` with an output in UTF-8, and most databases do not.
 */
export function replaceHalfPairs (json: Buffer): void {
  for (const begin of SURROGATES) {
    for (let at = json.indexOf(begin); at !== -1; at = json.indexOf(begin, at)) {
      at = isEscape(json, at) ? replaceAt(json, at) : at + begin.length
    }
  }
}

/** The same for a text that is a string still, in which half a pair may also stand as it is. */
export function wellFormedJson (json: string): string {
  const text = json.toWellFormed()
  if (!/\\ud/i.test(text)) return text
  const bytes = Buffer.from(text)
  replaceHalfPairs(bytes)
  return bytes.toString()
}

/** A backslash that is escaped itself begins nothing. */
function isEscape (json: Buffer, at: number): boolean {
  let before = at
  while (before > 0 && json[before - 1] === BACKSLASH) before--
  return (at - before) % 2 === 0
}

/** Returns where to look on. */
function replaceAt (json: Buffer, at: number): number {
  const end = at + REPLACEMENT.length
  const unit = unitAt(json, at)
  if (isHigh(unit) && isLow(unitAt(json, end))) return end + REPLACEMENT.length
  // The second half of a pair whose first half is spelled in the other case is met on its own.
  const isSecond = isLow(unit) && isHigh(unitAt(json, at - REPLACEMENT.length)) && isEscape(json, at - REPLACEMENT.length)
  if ((isHigh(unit) || isLow(unit)) && !isSecond) REPLACEMENT.copy(json, at)
  return end
}

/** The UTF-16 code unit that the escape here stands for; `NaN` where there is none. */
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
