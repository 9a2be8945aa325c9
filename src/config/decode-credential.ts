import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

/** Reads what is sent in a header to prove who we are. */
export function decodeCredential (text: string): Decoded {
  if (/^[\x21-\x7E]{1,1024}$/.test(text)) return accepted(text)
  return refused('must be 1 to 1024 printable ASCII characters without spaces: it is sent in a header; copy it again')
}

/** Reads an id that becomes a part of a URL's path. */
export function decodeId (text: string): Decoded {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(text)) return accepted(text)
  return refused('must be 1 to 128 letters, digits, dashes and underscores, such as proj_…; copy it again')
}
