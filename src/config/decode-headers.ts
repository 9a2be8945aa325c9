import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

/** A header name: a token of RFC 9110, section 5.6.2. */
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const separator = new RegExp(`\\r?\\n|,(?=\\s*${token}\\s*:)`)
const header = new RegExp(`^(${token})\\s*:\\s*(.*)$`)
/** What a header's value may hold: visible characters, space and tab (RFC 9110, section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]+$/

/**
 * Reads `Name: value` pairs, separated by new lines, or by commas where a header name and a colon follow. Names come out in
 * lower case. A reason tells an item by its number only, because the values are secret.
 */
export function decodeHeaders (text: string): Decoded {
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
