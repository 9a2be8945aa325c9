import { accepted, type Decoded, refused } from './decoded.js'

/**
 * A name becomes a part of a URL and of an event type, so it also appears in logs and headers. `.` and `..` are not allowed, because they have
 * another meaning in a path.
 */
const name = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/
const MAX_NAMES = 100

/** Reads a comma-separated list of names. Names that differ only in case count as equal. */
export function decodeNames (text: string): Decoded {
  const names = text.split(',').map(item => item.trim())
  const wrong = names.find(item => !name.test(item))
  if (wrong !== undefined) {
    return refused(`must be a comma-separated list of names of 1 to 100 letters, digits, dots, dashes and underscores, such as crm,erp; ${JSON.stringify(wrong.slice(0, 80))} is not one`)
  }
  const twice = names.find((item, index) => names.slice(0, index).some(other => other.toLowerCase() === item.toLowerCase()))
  if (twice !== undefined) return refused(`names ${twice} twice; name each once, in upper or in lower case`)
  return names.length > MAX_NAMES ? refused(`must not name more than ${MAX_NAMES}`) : accepted(names)
}
