import { timingSafeEqual } from 'node:crypto'
import { canonicalBytes } from './canonical-bytes.js'
import { hmacSha256 } from './hmac.js'
import { parseBody } from './parse-body.js'

export interface SignatureInput {
  /** The body as received, before anything has parsed it. */
  readonly rawBody: Uint8Array
  /** The header `x-voucherify-signature`, as Node's HTTP server gives it. */
  readonly header: string | readonly string[] | undefined
  /** The secrets that are accepted, in order: old and new together during a rotation. */
  readonly secrets: readonly string[]
}

export type SignatureResult =
  | {
    readonly ok: true
    /** Which of the secrets it was, from 1. */
    readonly secretNumber: number
    /** Whether only the body without white space matched: something on the way has pretty-printed it. */
    readonly canonical: boolean
  }
  | { readonly ok: false, readonly reason: 'missing' | 'malformed' | 'mismatch' }

const WELL_FORMED = /^[0-9a-f]{64}$/

/**
 * Signs a body as Voucherify does: lower-case hex of HMAC-SHA256. Throws a TypeError for an empty secret, with which
 * anybody could sign.
 */
export function sign (rawBody: Uint8Array, secret: string): string {
  return digest(rawBody, secret).toString('hex')
}

/** What is wrong with the header by itself, whatever the body is. */
export function signatureHeaderFault (header: SignatureInput['header']): 'missing' | 'malformed' | undefined {
  const values = header === undefined ? [] : [header].flat()
  const [value] = values
  if (value === undefined) return 'missing'
  return values.length > 1 || !WELL_FORMED.test(value) ? 'malformed' : undefined
}

/**
 * Tells whether the header is the body's signature under one of the secrets: of the bytes as received, or, where those do
 * not match and are JSON, of the JSON without the white space between its tokens. Nothing is serialised again, and nothing is
 * parsed before a signature fits. Every secret is compared in constant time, also after a match. Throws a TypeError for an
 * empty secret.
 */
export function verifySignature ({ rawBody, header, secrets }: SignatureInput): SignatureResult {
  const fault = signatureHeaderFault(header)
  if (fault !== undefined) return { ok: false, reason: fault }
  const signature = Buffer.from(String(header), 'hex')

  const received = matchingSecret(rawBody, signature, secrets)
  if (received > 0) return { ok: true, secretNumber: received, canonical: false }

  const compact = canonicalBytes(rawBody)
  const canonical = compact === rawBody ? 0 : matchingSecret(compact, signature, secrets)
  // Only JSON has white space that means nothing: in any other text it is a part of what was signed.
  if (canonical > 0 && parseBody(rawBody).ok) return { ok: true, secretNumber: canonical, canonical: true }
  return { ok: false, reason: 'mismatch' }
}

function digest (bytes: Uint8Array, secret: string): Buffer {
  if (secret === '') throw new TypeError('The secret is empty')
  return hmacSha256(Buffer.from(secret), bytes)
}

/** The number of the first secret that matches, from 1, or 0. */
function matchingSecret (bytes: Uint8Array, signature: Buffer, secrets: readonly string[]): number {
  let match = 0
  for (const [index, secret] of secrets.entries()) {
    const equal = timingSafeEqual(digest(bytes, secret), signature)
    if (equal && match === 0) match = index + 1
  }
  return match
}
