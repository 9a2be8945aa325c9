import { timingSafeEqual } from 'node:crypto'
import { canonicalBytes } from './canonical-bytes.js'
import { hmacSha256 } from './hmac.js'
import { parseBody } from './parse-body.js'

export interface SignatureInput {
  /** The body as received, before parsing. */
  readonly rawBody: Uint8Array
  /** The header `x-voucherify-signature`, as given by Node's HTTP server. */
  readonly header: string | readonly string[] | undefined
  /** The accepted secrets, in order. During a rotation, both the old and the new one. */
  readonly secrets: readonly string[]
}

export type SignatureResult =
  | {
    readonly ok: true
    /** The number of the secret that matched, from 1. */
    readonly secretNumber: number
    /** Whether only the body without white space matched, because an intermediary has pretty-printed it. */
    readonly canonical: boolean
  }
  | { readonly ok: false, readonly reason: 'missing' | 'malformed' | 'mismatch' }

const WELL_FORMED = /^[0-9a-f]{64}$/

/**
 * Signs a body as Voucherify does: HMAC-SHA256 in lower-case hex.
 * @throws {TypeError} if the secret is empty, because then anyone could sign
 */
export function sign (rawBody: Uint8Array, secret: string): string {
  return digest(rawBody, secret).toString('hex')
}

/** Returns the fault of the header itself, regardless of the body. */
export function signatureHeaderFault (header: SignatureInput['header']): 'missing' | 'malformed' | undefined {
  const values = header === undefined ? [] : [header].flat()
  const [value] = values
  if (value === undefined) return 'missing'
  return values.length > 1 || !WELL_FORMED.test(value) ? 'malformed' : undefined
}

/**
 * Checks whether the header is the body's signature under one of the secrets. The received bytes are checked first. If they do not match and
 * are JSON, the JSON without white space between its tokens is checked. Nothing is serialized again, and nothing is parsed before a signature
 * matches. Every secret is compared in constant time, even after a match.
 * @throws {TypeError} if a secret is empty
 */
export function verifySignature ({ rawBody, header, secrets }: SignatureInput): SignatureResult {
  const fault = signatureHeaderFault(header)
  if (fault !== undefined) return { ok: false, reason: fault }
  const signature = Buffer.from(String(header), 'hex')

  const received = matchingSecret(rawBody, signature, secrets)
  if (received > 0) return { ok: true, secretNumber: received, canonical: false }

  const compact = canonicalBytes(rawBody)
  const canonical = compact === rawBody ? 0 : matchingSecret(compact, signature, secrets)
  // White space is insignificant in JSON only. In any other text it is part of what was signed.
  if (canonical > 0 && parseBody(rawBody).ok) return { ok: true, secretNumber: canonical, canonical: true }
  return { ok: false, reason: 'mismatch' }
}

function digest (bytes: Uint8Array, secret: string): Buffer {
  if (secret === '') throw new TypeError('The secret is empty')
  return hmacSha256(Buffer.from(secret), bytes)
}

/** Returns the number of the first secret that matches, from 1, or 0 if none does. */
function matchingSecret (bytes: Uint8Array, signature: Buffer, secrets: readonly string[]): number {
  let match = 0
  for (const [index, secret] of secrets.entries()) {
    const equal = timingSafeEqual(digest(bytes, secret), signature)
    if (equal && match === 0) match = index + 1
  }
  return match
}
