import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../errors/problem.js'
import { signatureHeaderFault, verifySignature, type SignatureResult } from '../voucherify/signature.js'

declare const proven: unique symbol

/** What is known about the origin of a body. Only `authenticate` makes it, so that unproven bodies cannot be taken for proven ones. */
export type Proof = { readonly [proven]: true } & (
  | {
    readonly signed: true
    /** The number of the configured secret that matched, from 1. */
    readonly secretNumber: number
    /** Whether the signature matched only without the white space outside of strings. Then something on the way has re-formatted the body. */
    readonly canonical: boolean
  }
  | { readonly signed: false }
)

export const SIGNATURE_HEADER = 'x-voucherify-signature'

/**
 * Proves that a body comes from the sender. Without secrets there is nothing to prove, and the result is `signed: false`.
 * @throws {Problem} SIGNATURE_MISSING or SIGNATURE_WRONG
 */
export function authenticate (rawBody: Uint8Array, headers: IncomingHttpHeaders, secrets: readonly string[]): Proof {
  if (secrets.length === 0) return { signed: false } as Proof
  const result = verifySignature({ rawBody, header: headers[SIGNATURE_HEADER], secrets })
  if (result.ok) return { signed: true, secretNumber: result.secretNumber, canonical: result.canonical } as Proof
  throw refusal(result.reason)
}

/**
 * Refuses a request whose signature header cannot be right for any body, before the body is read.
 * @throws {Problem} SIGNATURE_MISSING or SIGNATURE_WRONG
 */
export function checkSignatureHeader (headers: IncomingHttpHeaders, secrets: readonly string[]): void {
  const fault = secrets.length === 0 ? undefined : signatureHeaderFault(headers[SIGNATURE_HEADER])
  if (fault !== undefined) throw refusal(fault)
}

function refusal (reason: Exclude<SignatureResult, { readonly ok: true }>['reason']): Problem {
  switch (reason) {
    case 'missing': return new Problem('SIGNATURE_MISSING', { detail: `The ${SIGNATURE_HEADER} header is missing.` })
    case 'malformed': return new Problem('SIGNATURE_WRONG', { detail: `The ${SIGNATURE_HEADER} header must be 64 lower-case hexadecimal digits.` })
    case 'mismatch': return new Problem('SIGNATURE_WRONG', { detail: `The ${SIGNATURE_HEADER} header does not fit the body under any configured secret.` })
  }
}

export interface RequiredHeader {
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/**
 * Makes the check that a request carries every required header with its value. It compares digests of the values. All digests have the same
 * length, so the time that a comparison takes reveals neither the content nor the length of a value.
 * @returns a function that throws a {Problem} HEADER_WRONG, which names the header but not its value
 */
export function createHeaderCheck (required: readonly RequiredHeader[]): (headers: IncomingHttpHeaders) => void {
  const expected = required.map(({ name, value }) => ({ name, digest: digestOf(value) }))
  return (headers) => {
    for (const { name, digest } of expected) {
      const given = headers[name]
      if (typeof given !== 'string' || !timingSafeEqual(digestOf(given), digest)) {
        throw new Problem('HEADER_WRONG', { detail: `The ${name} header is missing or does not have the required value.` })
      }
    }
  }
}

function digestOf (value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
