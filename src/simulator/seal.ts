import { sign } from '../voucherify/signature.js'

export interface SealOptions {
  /** `undefined`: not signed. */
  readonly secret: string | undefined
  /** By name in lower case; they win over what is sent by itself. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The headers of a body, as Voucherify sends them.
 * @param signed what Voucherify signs: the body as it wrote it, whatever something on the way has made of it since
 */
export function seal (signed: Uint8Array, { secret, headers }: SealOptions): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    ...secret === undefined ? {} : { 'x-voucherify-signature': sign(signed, secret) },
    ...headers
  }
}
