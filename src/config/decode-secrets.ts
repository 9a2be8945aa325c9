import { accepted, type Decoded, refused } from './decoded.js'

/**
 * Reads a comma-separated list of secrets, each trimmed: a secret read from a file tends to end in a new line, and would then
 * match no signature. A reason tells an item by its number only.
 */
export function decodeSecrets (text: string): Decoded {
  const secrets = text.split(',').map(item => item.trim())
  for (const [index, secret] of secrets.entries()) {
    const item = secrets.length === 1 ? '' : ` in item ${index + 1}`
    if (secret === '') return refused(`has no secret${item}; remove the comma or blank, or the variable`)
    if (/\s/.test(secret)) return refused(`has white space inside the secret${item}; separate secrets by commas`)
    // `docker run --env-file` hands quotation marks on as part of the value.
    if (/^(["'`]).*\1$/.test(secret)) return refused(`has quotation marks around the secret${item}; remove them`)
  }
  return accepted(secrets)
}
