import { compactJson } from './canonical-bytes.js'

const QUOTE = 0x22
const COMMA = 0x2C
const OPENING_BRACKET = 0x5B
const BACKSLASH = 0x5C
const CLOSING_BRACKET = 0x5D
const OPENING_BRACE = 0x7B
const CLOSING_BRACE = 0x7D

/** Deeper levels keep their order, because a body of brackets only must not overflow the stack. */
const DEEPEST = 100
const BYTE_ORDER_MARK = '\xEF\xBB\xBF'

/**
 * Returns the content of a JSON text independent of the order of its keys: compact, with the keys of each object sorted by their UTF-8 bytes.
 * Numbers and escapes stay as they were written. Repeated keys of an object keep their order, because the last one counts. Two texts with
 * the same content parse to the same value.
 * @param json in UTF-8, known to be well-formed
 * @returns a text with one character per byte
 */
export function sortedJson (json: Uint8Array): string {
  const compact = compactJson(json)
  const text = Buffer.from(compact.buffer, compact.byteOffset, compact.byteLength).toString('latin1')
  let at = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0

  function value (depth: number): string {
    const first = text.charCodeAt(at)
    if (depth < DEEPEST) {
      if (first === OPENING_BRACE) return object(depth + 1)
      if (first === OPENING_BRACKET) return array(depth + 1)
    }
    const start = at
    at = valueEnd(text, at)
    return text.slice(start, at)
  }

  function object (depth: number): string {
    const members: Array<{ readonly name: string, readonly text: string }> = []
    for (at++; at < text.length && text.charCodeAt(at) !== CLOSING_BRACE; at++) {
      const start = at
      at = stringEnd(text, at)
      const key = text.slice(start, at++)
      members.push({ name: nameOf(key), text: `${key}:${value(depth)}` })
      if (text.charCodeAt(at) !== COMMA) break
    }
    at++
    members.sort((one, other) => one.name < other.name ? -1 : one.name > other.name ? 1 : 0)
    return `{${members.map((member) => member.text).join(',')}}`
  }

  function array (depth: number): string {
    const items: string[] = []
    for (at++; at < text.length && text.charCodeAt(at) !== CLOSING_BRACKET; at++) {
      items.push(value(depth))
      if (text.charCodeAt(at) !== COMMA) break
    }
    at++
    return `[${items.join(',')}]`
  }

  return value(0)
}

/** Returns a key's UTF-8 without quotes and escapes, one character per byte. Two spellings of a key give the same name. */
function nameOf (key: string): string {
  if (!key.includes('\\')) return key.slice(1, -1)
  return Buffer.from(String(JSON.parse(Buffer.from(key, 'latin1').toString('utf8')))).toString('latin1')
}

/** Returns the index after the string that begins at `start`. */
function stringEnd (text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end + 1
  }
  return text.length
}

/** Returns the index after the value that begins at `start`. */
function valueEnd (text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = stringEnd(text, at)
      continue
    }
    if (code === OPENING_BRACE || code === OPENING_BRACKET) depth++
    else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) {
      if (depth === 0) return at
      depth--
    } else if (code === COMMA && depth === 0) return at
    at++
  }
  return at
}
