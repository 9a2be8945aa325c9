import { accepted, refused, type Decoded } from './decoded.js'

/** A schema's name has at most 63 bytes. Names that begin with pg_ are reserved by PostgreSQL. */
const SCHEMA = /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/

/** Reads the URL of the database. A reason never contains the URL, because the URL contains the password. */
export function decodeJournal (text: string): Decoded {
  if (!/^postgres(?:ql)?:\/\//.test(text)) return refused('must be a postgres:// URL')
  if (!URL.canParse(text)) return refused('cannot be read as a URL; write characters such as @, / and # in the password as %40, %2F and %23')
  const { hostname, pathname, searchParams } = new URL(text)
  if (hostname === '' && !searchParams.has('host')) return refused('names no host')
  if (pathname.length < 2) return refused('names no database; put its name behind the host, such as postgres://user@host/tierhook')
  return accepted(text)
}

export function decodeSchemaName (text: string): Decoded {
  return SCHEMA.test(text) ? accepted(text) : refused('must be up to 63 small letters, digits and underscores, not beginning with a digit or pg_')
}

export function decodeReplicaName (text: string): Decoded {
  return /^[A-Za-z0-9._-]{1,100}$/.test(text) ? accepted(text) : refused('must be 1 to 100 letters, digits, dots, dashes and underscores')
}
