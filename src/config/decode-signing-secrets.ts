import { decodeSecrets } from './decode-secrets.js'
import { type Decoded, refused } from './decoded.js'

const PREFIX = 'whsec_'

/** Whether it is `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it. */
function isSigningSecret (secret: string): boolean {
  if (!secret.startsWith(PREFIX)) return false
  const text = secret.slice(PREFIX.length)
  const key = Buffer.from(text, 'base64')
  return key.toString('base64') === text && key.byteLength >= 24 && key.byteLength <= 64
}

/** Reads a comma-separated list of signing secrets. A reason tells an item by its number only. */
export function decodeSigningSecrets (text: string): Decoded {
  const decoded = decodeSecrets(text)
  if (!decoded.ok) return decoded
  const wrong = text.split(',').findIndex(item => !isSigningSecret(item.trim()))
  if (wrong === -1) return decoded
  return refused(`must be ${PREFIX} and the base64 of 24 to 64 random bytes, and item ${wrong + 1} is not; make one with: ` +
    `node -p "'${PREFIX}' + crypto.randomBytes(32).toString('base64')"`)
}
