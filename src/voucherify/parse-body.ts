import { isAscii, isUtf8 } from 'node:buffer'
import { scan } from 'secure-json-parse'

export type JsonObject = Readonly<Record<string, unknown>>

export type ParsedBody =
  | { readonly ok: true, readonly value: unknown, readonly poisoned: boolean }
  | { readonly ok: false, readonly reason: string }

export function isJsonObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns the value if it is an object, otherwise an empty object. */
export function objectOrEmpty (value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/**
 * Parses a raw body as JSON in UTF-8 (RFC 8259). Changes nothing: a `__proto__` key stays an ordinary property, and `poisoned` reports it. Never
 * throws. The reason never quotes the body.
 */
export function parseBody (rawBody: Uint8Array): ParsedBody {
  if (rawBody.byteLength === 0) return { ok: false, reason: 'The body is empty.' }
  if (!isUtf8(rawBody)) return { ok: false, reason: 'The body is not UTF-8.' }
  // ASCII bytes are Latin-1 too, and decoding Latin-1 takes a fifth of the time.
  const decoded = Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength).toString(isAscii(rawBody) ? 'latin1' : 'utf8')
  // A parser may ignore a byte order mark (RFC 8259, section 8.1).
  const text = decoded.charCodeAt(0) === 0xFEFF ? decoded.slice(1) : decoded
  try {
    const value: unknown = JSON.parse(text)
    return { ok: true, value, poisoned: isPoisoned(text, value) }
  } catch (error) {
    return { ok: false, reason: `The body is not JSON${position(error)}.` }
  }
}

/** Whether there is a `__proto__` key. Few bodies are searched, because the text must contain the name or an escape of one of its letters. */
function isPoisoned (text: string, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!/__proto__|\\u00/.test(text)) return false
  return scan(value, { protoAction: 'error', constructorAction: 'ignore', safe: true }) === null
}

/** Returns the position of a syntax error. V8's message may quote the text, so only the position that V8 puts at its end is used. */
function position (error: unknown): string {
  const found = error instanceof Error ? / in JSON at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(error.message)?.[1] : undefined
  return found === undefined ? '' : ` (at character ${found})`
}
