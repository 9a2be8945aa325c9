import { hmacSha256 } from '../../voucherify/hmac.js'

export interface SignedMessage {
  readonly id: string
  /** Seconds since the epoch. */
  readonly timestamp: number
  /** The bytes that are sent. */
  readonly body: Uint8Array
}

const PREFIX = 'whsec_'
const MIN_BYTES = 24
const MAX_BYTES = 64

/**
 * Returns the key of a Standard Webhooks secret: `whsec_` and 24 to 64 bytes in base64
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme).
 * @throws {TypeError} for any other text; the message does not contain the secret
 */
export function signingKey (secret: string): Uint8Array {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : ''
  const key = Buffer.from(text, 'base64')
  // Node ignores characters that are not base64, so the key would differ from the receiver's.
  if (key.toString('base64') !== text || key.byteLength < MIN_BYTES || key.byteLength > MAX_BYTES) {
    throw new TypeError(`A signing secret must be ${PREFIX} and the base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes`)
  }
  return key
}

/** Returns the value of `webhook-signature`: one signature per key, separated by spaces, so that knowing one key is enough for a receiver. */
export function standardSignature ({ id, timestamp, body }: SignedMessage, keys: readonly Uint8Array[]): string {
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
  return keys.map((key) => `v1,${hmacSha256(key, signed).toString('base64')}`).join(' ')
}
