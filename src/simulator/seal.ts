import { sign } from '../voucherify/signature.js'

export interface SealOptions {
  /** `undefined`: the body is not signed. */
  readonly secret: string | undefined
  /** By name in lower case. They take precedence over the other headers. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Returns the headers of a body as Voucherify sends them.
 * @param signed the bytes that Voucherify signs: the body as it wrote it, even if it was changed on the way
 */
export function seal (signed: Uint8Array, { secret, headers }: SealOptions): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    ...secret === undefined ? {} : { 'x-voucherify-signature': sign(signed, secret) },
    ...headers
  }
}
