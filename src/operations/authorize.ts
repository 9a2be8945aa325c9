import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors.js'
import type { OperatorRouteConfig } from './route-types.js'

export interface AuthorizeOptions {
  /** What a request has to bear; `undefined` where the listener is for this machine alone. */
  readonly token: string | undefined
  /** What the listener listens at. */
  readonly host: string
}

/** The part of a request that is looked at. */
export type OperatorRequest = Pick<FastifyRequest, 'headers' | 'method' | 'routeOptions'>

const CHALLENGE = { 'www-authenticate': 'Bearer realm="tierhook"' }

/**
 * Makes the check that a request is the operator's. With a token, whoever bears it is. Without one the listener is for this
 * machine, and what has to be kept out are the pages of other sites in its browsers: those that gave their own name this
 * machine's address (the name then stands in `Host`), and those that post here (they can't choose JSON as the type, and
 * their name stands in `Origin`).
 * @returns a function that throws a {Problem} TOKEN_WRONG, ORIGIN_NOT_ALLOWED or MEDIA_TYPE_UNSUPPORTED
 */
export function createAuthorization ({ token, host }: AuthorizeOptions): (request: OperatorRequest) => void {
  const expected = token === undefined ? undefined : digestOf(token)
  return (request) => {
    if (expected === undefined) checkHost(request, host)
    else if (!isOpen(request.routeOptions.config)) checkToken(request, expected)
    if (request.method !== 'GET' && request.method !== 'HEAD') checkChange(request)
  }
}

function isOpen (config: object): boolean {
  const { open }: OperatorRouteConfig = config
  return open === true
}

/** Digests have one length, so neither the content nor the length of the token shows in the time that this takes. */
function checkToken ({ headers }: OperatorRequest, expected: Buffer): void {
  const given = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (given === undefined) throw new Problem('TOKEN_WRONG', { detail: 'Send ADMIN_TOKEN as a bearer token: Authorization: Bearer <token>.', headers: CHALLENGE })
  if (!timingSafeEqual(digestOf(given), expected)) throw new Problem('TOKEN_WRONG', { detail: 'The bearer token is not ADMIN_TOKEN.', headers: CHALLENGE })
}

function digestOf (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function checkHost ({ headers }: OperatorRequest, host: string): void {
  const name = hostName(headers.host ?? '')
  if (name !== undefined && (isThisMachine(name) || name === host.toLowerCase())) return
  throw new Problem('ORIGIN_NOT_ALLOWED', { detail: 'Without ADMIN_TOKEN the Host header must name this machine: localhost, 127.0.0.1 or ADMIN_HOST.' })
}

function isThisMachine (name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}

/** The name or address in a `Host` header, without the port and an address's brackets. */
function hostName (header: string): string | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(header)
  return (found?.[1] ?? found?.[2])?.toLowerCase()
}

function checkChange ({ headers }: OperatorRequest): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send the request as application/json.' })
  const { origin, host } = headers
  if (origin === undefined) return
  // Behind a proxy that speaks TLS the scheme differs, so it is the name and port that count.
  if (!/^https?:\/\//.test(origin) || origin.replace(/^https?:\/\//, '').toLowerCase() !== host?.toLowerCase()) {
    throw new Problem('ORIGIN_NOT_ALLOWED', { detail: 'The request was made by a page of another site.' })
  }
}
