import { canonicalBytes } from '../voucherify/canonical-bytes.js'
import { sign } from '../voucherify/signature.js'

export interface SealOptions {
  /** `undefined`: not signed. */
  readonly secret: string | undefined
  /** By name in lower case; they win over what is sent by itself. */
  readonly headers: Readonly<Record<string, string>>
}

/** The headers of a body, as Voucherify sends them: its signature is that of the compact text, whatever was made of it since. */
export function seal (body: Uint8Array, { secret, headers }: SealOptions): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    ...secret === undefined ? {} : { 'x-voucherify-signature': sign(canonicalBytes(body), secret) },
    ...headers
  }
}
