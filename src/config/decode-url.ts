import { accepted, type Decoded, refused } from './decoded.js'
import { isLoopback } from './addresses.js'

/** Reads an http or https URL. */
export function decodeUrl (text: string): Decoded {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return refused('must be an http:// or https:// URL')
  const url = new URL(text)
  if (url.username === '' && url.password === '') return accepted(text)
  return refused('must not carry a user name or password: they would end up in logs; remove the part before the @')
}

/** Reads a URL that paths are appended to. */
export function decodeBaseUrl (text: string): Decoded {
  const decoded = decodeUrl(text)
  if (!decoded.ok) return decoded
  return /[?#]/.test(text) ? refused('must have no query and no fragment: paths are put behind it; remove the part from the ? or # on') : decoded
}

/** Reads the URL of an API that gets credentials. It must be https, except on this machine. */
export function decodeApiUrl (text: string): Decoded {
  const decoded = decodeBaseUrl(text)
  if (!decoded.ok) return decoded
  const { protocol, hostname } = new URL(text)
  if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return decoded
  return refused('must be an https:// URL: a token is sent there')
}

/** Reads an id that becomes a part of a URL's path. */
export function decodeId (text: string): Decoded {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(text)) return accepted(text)
  return refused('must be 1 to 128 letters, digits, dashes and underscores, such as proj_…; copy it again')
}
