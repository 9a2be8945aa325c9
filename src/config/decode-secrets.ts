import { accepted, type Decoded, refused } from './decoded.js'

/**
 * Reads a comma-separated list of secrets and trims each: a secret read from a file often ends in a new line, and would then match no signature.
 * A reason identifies an item by its number only.
 */
export function decodeSecrets (text: string): Decoded {
  const secrets = text.split(',').map(item => item.trim())
  for (const [index, secret] of secrets.entries()) {
    const item = secrets.length === 1 ? '' : ` in item ${index + 1}`
    if (secret === '') return refused(`has no secret${item}; remove the comma or blank, or the variable`)
    if (/\s/.test(secret)) return refused(`has white space inside the secret${item}; separate secrets by commas`)
    // `docker run --env-file` passes quotation marks on as part of the value.
    if (/^(["'`]).*\1$/.test(secret)) return refused(`has quotation marks around the secret${item}; remove them`)
  }
  return accepted(secrets)
}

const PREFIX = 'whsec_'

/** Whether the text is `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks specifies. */
function isSigningSecret (secret: string): boolean {
  if (!secret.startsWith(PREFIX)) return false
  const text = secret.slice(PREFIX.length)
  const key = Buffer.from(text, 'base64')
  return key.toString('base64') === text && key.byteLength >= 24 && key.byteLength <= 64
}

/** Reads a comma-separated list of signing secrets. A reason identifies an item by its number only. */
export function decodeSigningSecrets (text: string): Decoded {
  const decoded = decodeSecrets(text)
  if (!decoded.ok) return decoded
  const wrong = text.split(',').findIndex(item => !isSigningSecret(item.trim()))
  if (wrong === -1) return decoded
  return refused(`must be ${PREFIX} and the base64 of 24 to 64 random bytes, and item ${wrong + 1} is not; make one with: ` +
    `node -p "'${PREFIX}' + crypto.randomBytes(32).toString('base64')"`)
}
