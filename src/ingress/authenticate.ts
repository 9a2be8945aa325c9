import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../errors/problem.js'
import { signatureHeaderFault, verifySignature, type SignatureResult } from '../voucherify/signature.js'

declare const proven: unique symbol

/** What is known of the origin of a body. Made by `authenticate` alone, so nothing unproven passes for it. */
export type Proof = { readonly [proven]: true } & (
  | {
    readonly signed: true
    /** Which of the configured secrets matched, from 1. */
    readonly secretNumber: number
    /** Whether it matched only without the white space outside of strings: something in between has re-formatted the body. */
    readonly canonical: boolean
  }
  | { readonly signed: false }
)

export const SIGNATURE_HEADER = 'x-voucherify-signature'

/**
 * Proves that a body is the sender's. Without secrets there is nothing to prove, and the result says so.
 * @throws {Problem} SIGNATURE_MISSING or SIGNATURE_WRONG
 */
export function authenticate (rawBody: Uint8Array, headers: IncomingHttpHeaders, secrets: readonly string[]): Proof {
  if (secrets.length === 0) return { signed: false } as Proof
  const result = verifySignature({ rawBody, header: headers[SIGNATURE_HEADER], secrets })
  if (result.ok) return { signed: true, secretNumber: result.secretNumber, canonical: result.canonical } as Proof
  throw refusal(result.reason)
}

/**
 * Refuses what no body could make authentic, before any of it is read.
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
 * Makes the check that a request carries every required header with its value. Values are compared by their digests, which
 * have one length, so neither the content nor the length of a value shows in the time that it takes.
 * @returns a function that throws a {Problem} HEADER_WRONG, which names the header and never its value
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
