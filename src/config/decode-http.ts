import { accepted, type Decoded, refused } from './decoded.js'

/** A header name: a token of RFC 9110, section 5.6.2. */
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const separator = new RegExp(`\\r?\\n|,(?=\\s*${token}\\s*:)`)
const header = new RegExp(`^(${token})\\s*:\\s*(.*)$`)
/** A header's value: visible characters, space and tab (RFC 9110, section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]+$/

/**
 * Reads `Name: value` pairs, separated by new lines, or by commas if a header name and a colon follow. Names are converted to lower case. Values
 * are secret, so a reason never contains one.
 */
export function decodeHeaders (text: string): Decoded<ReadonlyArray<{ readonly name: string, readonly value: string }>> {
  const headers: Array<{ name: string, value: string }> = []
  const seen = new Set<string>()
  const items = text.split(separator).map(item => item.trim()).filter(item => item !== '')
  for (const [index, item] of items.entries()) {
    const [, name, value = ''] = header.exec(item) ?? []
    if (name === undefined) return refused(`has no "Name: value" as item ${index + 1}; write each header as Name: value`)
    const key = name.toLowerCase()
    if (value === '' || !fieldValue.test(value)) return refused(`has no value that a header can carry for ${key}`)
    if (value.endsWith(',')) return refused(`has a comma at the end of ${key}; remove it`)
    if (seen.has(key)) return refused(`names ${key} twice; name each header once`)
    seen.add(key)
    headers.push({ name: key, value })
  }
  return headers.length === 0 ? refused('is blank; write each header as Name: value, or remove the variable') : accepted(headers)
}

/** Like `decodeHeaders`, but returns one object. */
export function decodeHeaderMap (text: string): Decoded {
  const decoded = decodeHeaders(text)
  return decoded.ok ? accepted(Object.fromEntries(decoded.value.map(({ name, value }) => [name, value]))) : decoded
}

/** Reads a comma-separated list of HTTP statuses that are no success. */
export function decodeStatuses (text: string): Decoded {
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !/^[345]\d\d$/.test(item))
  return wrong === undefined
    ? accepted(items.map(Number))
    : refused(`must be a comma-separated list of HTTP statuses from 300 to 599; ${JSON.stringify(wrong)} is not one`)
}

/** Reads a credential that is sent in a header. */
export function decodeCredential (text: string): Decoded {
  if (/^[\x21-\x7E]{1,1024}$/.test(text)) return accepted(text)
  return refused('must be 1 to 1024 printable ASCII characters without spaces: it is sent in a header; copy it again')
}
