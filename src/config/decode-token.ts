import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

/** Fewer could be guessed by somebody who may try for long. */
const LEAST = 24

/** Reads a bearer token: RFC 6750, section 2.1, says what may stand in one. */
export function decodeToken (text: string): Decoded {
  if (text.length < LEAST) return refused(`must have ${LEAST} characters or more; "openssl rand -hex 32" makes a good one`)
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(text)) return refused('may hold letters, digits and - . _ ~ + / alone, with = at the end: it is sent in a header')
  return accepted(text)
}
