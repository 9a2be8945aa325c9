import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyContextConfig, FastifyRequest } from 'fastify'
import { Problem } from '../errors/problem.js'
import { createHostCheck, refuseForeignOrigin } from '../http/foreign-sites.js'

/** A token, its name in the log, and its role: `read` only reads, `operate` may also change something. */
export interface NamedToken {
  readonly name: string
  readonly role: 'read' | 'operate'
  readonly token: string
}

export interface AuthorizeOptions {
  /** The accepted tokens. Empty if the listener serves only this machine. */
  readonly tokens: readonly NamedToken[]
  /** The host that the listener is bound to. */
  readonly host: string
}

interface ExpectedToken extends Pick<NamedToken, 'name' | 'role'> {
  readonly digest: Buffer
}

/** The operator routes' part of Fastify's route `config`. */
export interface OperatorRouteConfig extends FastifyContextConfig {
  /** Whether the route needs no token. Its answer must contain nobody's data. */
  readonly open?: boolean
}

/** The part of a request that the check reads. */
export type OperatorRequest = Pick<FastifyRequest, 'headers' | 'is404' | 'method' | 'routeOptions'>

const HOST_WRONG = 'Without a token the Host header must name this machine: localhost, 127.0.0.1 or ADMIN_HOST.'
const CHALLENGE = { 'www-authenticate': 'Bearer realm="tierhook"' }

/**
 * Creates the check that a request comes from the operator. With tokens, the request must bear one of them. Without tokens the listener serves
 * only this machine, and the check keeps out other sites' pages in its browsers. A page may reach the listener by DNS rebinding: its own name
 * resolves to this machine's address, and that name is in `Host`. Or a page may post to the listener: a simple cross-site post cannot have a JSON
 * content type, and its `Origin` names the page's site.
 * @returns a function that returns the name of the request's token, or `null` if none is needed. It throws a {Problem} TOKEN_WRONG,
 * TOKEN_READS_ONLY, ORIGIN_NOT_ALLOWED or MEDIA_TYPE_UNSUPPORTED.
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
    // An unknown path changes nothing, so it gets its 404.
    if (changes && !request.is404) checkChange(request)
    return name
  }
}

function isOpen (config: object): boolean {
  const { open }: OperatorRouteConfig = config
  return open === true
}

/** Returns the request's bearer token, right or wrong; `undefined` if there is none. */
export function bearerToken ({ headers }: Pick<OperatorRequest, 'headers'>): string | undefined {
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/**
 * Finds the token that the request bears. Comparing digests takes the same time whatever the content or length of a token, and comparing with
 * every one hides which token matched.
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
