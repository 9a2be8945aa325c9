import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyContextConfig, FastifyRequest } from 'fastify'
import { Problem } from '../errors/problem.js'
import { createHostCheck, refuseForeignOrigin } from '../http/foreign-sites.js'

/** A token with the name by which the log tells who bore it, and what its bearer may do: look, or also change something. */
export interface NamedToken {
  readonly name: string
  readonly role: 'read' | 'operate'
  readonly token: string
}

export interface AuthorizeOptions {
  /** What a request has to bear one of; none where the listener is for this machine alone. */
  readonly tokens: readonly NamedToken[]
  /** What the listener listens at. */
  readonly host: string
}

interface ExpectedToken extends Pick<NamedToken, 'name' | 'role'> {
  readonly digest: Buffer
}

/** What a route says of itself in its `config`. */
export interface OperatorRouteConfig extends FastifyContextConfig {
  /** Whether it is answered without a token: nobody's data may be in the answer. */
  readonly open?: boolean
}

/** The part of a request that is looked at. */
export type OperatorRequest = Pick<FastifyRequest, 'headers' | 'is404' | 'method' | 'routeOptions'>

const HOST_WRONG = 'Without a token the Host header must name this machine: localhost, 127.0.0.1 or ADMIN_HOST.'
const CHALLENGE = { 'www-authenticate': 'Bearer realm="tierhook"' }

/**
 * Makes the check that a request is the operator's. With a token, whoever bears it is. Without one the listener is for this
 * machine, and what has to be kept out are the pages of other sites in its browsers: those that gave their own name this
 * machine's address (the name then stands in `Host`), and those that post here (they can't choose JSON as the type, and
 * their name stands in `Origin`).
 * @returns a function that gives the name of the token that the request bears, or `null` where it needs none; it throws a {Problem} TOKEN_WRONG,
 * TOKEN_READS_ONLY, ORIGIN_NOT_ALLOWED or MEDIA_TYPE_UNSUPPORTED
 */
export function createAuthorization ({ tokens, host }: AuthorizeOptions): (request: OperatorRequest) => string | null {
  const expected = tokens.map(({ name, role, token }) => ({ name, role, digest: digestOf(token) }))
  const checkHost = createHostCheck({ names: [host], addresses: 'loopback', detail: HOST_WRONG })
  return (request) => {
    const changes = request.method !== 'GET' && request.method !== 'HEAD'
    let name: string | null = null
    if (expected.length === 0) checkHost(request.headers)
    else if (!isOpen(request.routeOptions.config)) {
      const bearer = bearerOf(request, expected)
      if (changes && bearer.role === 'read') throw readsOnly(bearer)
      name = bearer.name
    }
    // What finds no route changes nothing, and is told so.
    if (changes && !request.is404) checkChange(request)
    return name
  }
}

function isOpen (config: object): boolean {
  const { open }: OperatorRouteConfig = config
  return open === true
}

/** The bearer token of a request, whether it is a right one or not. */
export function bearerToken ({ headers }: Pick<OperatorRequest, 'headers'>): string | undefined {
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/**
 * Digests have one length, so neither the content nor the length of a token shows in the time that this takes; and each is compared, so neither
 * does which of them it is.
 */
function bearerOf (request: OperatorRequest, expected: readonly ExpectedToken[]): ExpectedToken {
  const given = bearerToken(request)
  if (given === undefined) throw new Problem('TOKEN_WRONG', { detail: 'Send ADMIN_TOKEN, or one of ADMIN_TOKENS, as a bearer token: Authorization: Bearer <token>.', headers: CHALLENGE })
  const digest = digestOf(given)
  const [found] = expected.filter((each) => timingSafeEqual(digest, each.digest))
  if (found === undefined) throw new Problem('TOKEN_WRONG', { detail: 'The bearer token is neither ADMIN_TOKEN nor one of ADMIN_TOKENS.', headers: CHALLENGE })
  return found
}

function readsOnly ({ name }: ExpectedToken): Problem {
  return new Problem('TOKEN_READS_ONLY', {
    detail: `The token ${name} may only read: it changes nothing. Use ADMIN_TOKEN, or an operate token of ADMIN_TOKENS.`,
    headers: { 'www-authenticate': 'Bearer realm="tierhook", error="insufficient_scope"' }
  })
}

function digestOf (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function checkChange ({ headers }: OperatorRequest): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send the request as application/json.' })
  refuseForeignOrigin(headers)
}
