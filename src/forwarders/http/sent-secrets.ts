import type { Header } from './own-headers.js'
import type { Route } from './route.js'

/** Shorter pieces of a header's value, or of a part of the address, are no secret. */
const SHORTEST_PIECE = 8

export interface Sent {
  readonly url: string
  readonly headers: readonly Header[]
  readonly route: Route
}

/** What a request carries that must not show, should the destination or the proxy send it back. */
export function sentSecrets ({ url, headers, route }: Sent): readonly string[] {
  const values = headers.map(({ value }) => value)
  if (route.via === 'proxy' && route.authorization !== undefined) values.push(route.authorization)
  return [...ofAddress(url), ...values.flatMap(ofHeader)]
}

/**
 * The path and query as a whole, and each segment, name and value of them: in the addresses of webhooks they commonly hold a
 * key. A part of several pieces, such as `bot1:KEY`, counts by its long pieces too.
 */
function ofAddress (url: string): readonly string[] {
  const { pathname, search, searchParams, username, password } = new URL(url)
  const parts = [...pathname.split('/'), search.slice(1), ...[...searchParams].flat(), username, password]
  const whole = [`${pathname}${search}`, pathname].filter((text) => text !== '/')
  return [...whole, ...parts, ...parts.flatMap(piecesOf)].filter((part) => part !== '')
}

/** The value and its parts; of what names somebody by Basic, the user and password too. */
function ofHeader (value: string): readonly string[] {
  const basic = /^basic +(\S+)$/i.exec(value)?.[1]
  const credentials = basic === undefined ? '' : Buffer.from(basic, 'base64').toString()
  const [user = '', ...password] = credentials.split(':')
  return [value, ...value.split(' '), credentials, user, password.join(':')].filter((text) => text.length >= SHORTEST_PIECE)
}

function piecesOf (text: string): readonly string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((piece) => piece.length >= SHORTEST_PIECE)
}
