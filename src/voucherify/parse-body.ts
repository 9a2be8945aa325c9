import { isUtf8 } from 'node:buffer'
import { parse } from 'secure-json-parse'

export type JsonObject = Readonly<Record<string, unknown>>

export type ParsedBody =
  | { readonly ok: true, readonly value: unknown, readonly poisoned: boolean }
  | { readonly ok: false, readonly reason: string }

export function isJsonObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads a raw body as JSON in UTF-8 (RFC 8259). Changes nothing: `poisoned` tells of a `__proto__` key, which is kept as
 * an ordinary property. Never throws, and the reason never quotes the body.
 */
export function parseBody (rawBody: Uint8Array): ParsedBody {
  if (rawBody.byteLength === 0) return { ok: false, reason: 'The body is empty.' }
  if (!isUtf8(rawBody)) return { ok: false, reason: 'The body is not UTF-8.' }
  const buffer = Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength)
  let text = buffer.toString('utf8')
  // RFC 8259, section 8.1: a parser may ignore a byte order mark rather than treat it as an error.
  if (text.charCodeAt(0) === 0xFEFF) text = text.slice(1)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { ok: false, reason: `The body is not JSON${position(error)}.` }
  }
  return { ok: true, value, poisoned: text.includes('__proto__') || text.includes('\\u') ? isPoisoned(text) : false }
}

function isPoisoned (text: string): boolean {
  try {
    parse(text, null, { protoAction: 'error', constructorAction: 'ignore' })
    return false
  } catch {
    // It parsed as JSON before, so what is refused now is the key.
    return true
  }
}

/** V8 quotes a piece of the text in its message: only the position is passed on. */
function position (error: unknown): string {
  const found = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined
  return found === undefined ? '' : ` (at character ${found})`
}
