import type { Header } from './own-headers.js'
import type { Route } from './route.js'

/** Shorter pieces of a header's value, or of a part of the URL, do not count as secrets. */
const MIN_PIECE_LENGTH = 8

export interface Sent {
  readonly url: string
  readonly headers: readonly Header[]
  readonly route: Route
}

/** Returns the parts of a request that must not be shown if the destination or the proxy sends them back. */
export function sentSecrets ({ url, headers, route }: Sent): readonly string[] {
  const values = headers.map(({ value }) => value)
  if (route.via === 'proxy' && route.authorization !== undefined) values.push(route.authorization)
  return [...ofAddress(url), ...values.flatMap(ofHeader)]
}

/**
 * Returns the path and query as a whole, and each segment, name and value in them, because webhook URLs often contain a key. Long pieces
 * of a part count too, such as the key in `bot1:KEY`.
 */
function ofAddress (url: string): readonly string[] {
  const { pathname, search, searchParams, username, password } = new URL(url)
  const parts = [...pathname.split('/'), search.slice(1), ...[...searchParams].flat(), username, password]
  const whole = [`${pathname}${search}`, pathname].filter((text) => text !== '/')
  return [...whole, ...parts, ...parts.flatMap(piecesOf)].filter((part) => part !== '')
}

/** Returns a header's value and its parts. For Basic authentication, user and password are among them. */
function ofHeader (value: string): readonly string[] {
  const basic = /^basic +(\S+)$/i.exec(value)?.[1]
  const credentials = basic === undefined ? '' : Buffer.from(basic, 'base64').toString()
  const [user = '', ...password] = credentials.split(':')
  return [value, ...value.split(' '), credentials, user, password.join(':')].filter((text) => text.length >= MIN_PIECE_LENGTH)
}

function piecesOf (text: string): readonly string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((piece) => piece.length >= MIN_PIECE_LENGTH)
}
