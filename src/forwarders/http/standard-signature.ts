import { hmacSha256 } from '../../voucherify/hmac.js'

export interface SignedMessage {
  readonly id: string
  /** Seconds since the epoch. */
  readonly timestamp: number
  /** The bytes that are sent. */
  readonly body: Uint8Array
}

const PREFIX = 'whsec_'
const LEAST_BYTES = 24
const MOST_BYTES = 64

/**
 * The key in a secret as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme).
 * @throws {TypeError} where it is anything else; the message does not hold the secret
 */
export function signingKey (secret: string): Uint8Array {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : ''
  const key = Buffer.from(text, 'base64')
  // Node skips over what is not base64, and the key would then be another one than the receiver's.
  if (key.toString('base64') !== text || key.byteLength < LEAST_BYTES || key.byteLength > MOST_BYTES) {
    throw new TypeError(`A signing secret must be ${PREFIX} and the base64 of ${LEAST_BYTES} to ${MOST_BYTES} bytes`)
  }
  return key
}

/** The value of `webhook-signature`: a signature for each key, separated by spaces, so that a receiver may know only one. */
export function standardSignature ({ id, timestamp, body }: SignedMessage, keys: readonly Uint8Array[]): string {
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
  return keys.map((key) => `v1,${hmacSha256(key, signed).toString('base64')}`).join(' ')
}
