import { maxHeaderSize } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { systemClock } from '../delivery/clock.js'
import type { Problem } from '../errors/problem.js'
import { createHttpApp, type AnswerError, type App } from '../http/app.js'
import { framingFault } from '../http/framing.js'
import { createListener, type Listener, type ListenerLimits } from '../http/listener.js'
import { notFound } from '../http/not-found.js'
import { answerProblem } from '../http/problem-answer.js'
import { createAudit, type AuditOptions } from './audit.js'
import { bearerToken, createAuthorization, type AuthorizeOptions } from './authorize.js'
import { addOperatorRoutes, type OperatorRouteOptions } from './operator-routes.js'
import { compileParameters } from './parameters.js'
import { toOperatorProblem } from './problem.js'
import { createWrongTokens, type WrongTokenLimits } from './wrong-tokens.js'

export interface AdminAppOptions extends AuthorizeOptions, Omit<OperatorRouteOptions, 'noteAction' | 'rememberWho'>, Pick<AuditOptions, 'onAction'>, ListenerLimits {
  readonly logger: FastifyBaseLogger
  /** Adds the page at `/` and its files. These routes have `config: { open: true }`. */
  readonly addPage?: ((app: App) => void) | undefined
  /** Proxies whose `X-Forwarded-For` is trusted; none if absent. */
  readonly trustProxy?: readonly string[]
  readonly wrongTokens?: Partial<WrongTokenLimits>
  readonly monotonic?: () => number
  readonly now?: () => number
}

/** Enough for a few hundred delivery ids. */
const BODY_LIMIT_BYTES = 65_536

/** Default headers for data. The page's files set a policy of their own. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

/** Creates the operator's application. It does not listen yet. */
export function createAdminApp (options: AdminAppOptions): App {
  const listener = createListener(options)
  const answerError: AnswerError = (error, request, reply) => { refuse(error, request, reply, listener) }
  const app = createHttpApp({
    logger: options.logger,
    listener,
    answerError,
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: options.trustProxy ?? [],
    // Event streams stay open, so close them, or the service could not stop.
    forceCloseConnections: true,
    // Accept path parameters of any length that Node.js allows. Fastify's limit of 100 characters would make a longer name an unknown path.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: maxHeaderSize }
  })

  const checkRequest = createAuthorization(options)
  const tokens = new WeakMap<object, string | null>()
  const authorize = (request: FastifyRequest): void => { tokens.set(request, checkRequest(request)) }
  const noteAction = createAudit({ tokenOf: (request) => tokens.get(request) ?? null, now: options.now ?? systemClock.now, onAction: options.onAction })
  const rememberWho = (request: FastifyRequest): Pick<FastifyRequest, 'ip' | 'log'> => {
    const who = { ip: request.ip, log: request.log }
    tokens.set(who, tokens.get(request) ?? null)
    return who
  }
  const wrongTokens = createWrongTokens({ monotonic: options.monotonic ?? systemClock.monotonic, limits: options.wrongTokens })
  app.setValidatorCompiler(compileParameters)
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(HEADERS)
    const problem = refusalOf(request, authorize)
    // A request without a token is not a guess, so only wrong tokens are delayed.
    if (problem?.code === 'TOKEN_WRONG' && bearerToken(request) !== undefined) wrongTokens.refuse({ problem, address: request.ip, response: reply.raw }, done)
    else done(problem)
  })
  app.register(notFound, { detail: 'There is nothing at this path. /docs says where the API is described.' })
  addOperatorRoutes(app, { ...options, noteAction, rememberWho })
  options.addPage?.(app)
  return app
}

function refusalOf (request: FastifyRequest, authorize: (request: FastifyRequest) => void): Problem | undefined {
  const fault = framingFault(request.raw)
  if (fault !== undefined) return fault
  try {
    authorize(request)
    return undefined
  } catch (error) {
    return toOperatorProblem(error)
  }
}

function refuse (error: unknown, request: FastifyRequest, reply: FastifyReply, listener: Listener): void {
  const problem = toOperatorProblem(error)
  if (listener.mayLog({ code: problem.code, address: request.ip })) {
    const fields = { code: problem.code, status: problem.status, method: request.method, path: request.routeOptions.url ?? null, sourceAddress: request.ip }
    if (problem.status === 500) request.log.error({ ...fields, err: problem }, 'operator\'s request failed')
    else request.log.warn({ ...fields, detail: problem.message }, 'operator\'s request refused')
  }
  if (problem.status < 500) listener.endAfter(request.raw, reply.raw)
  answerProblem(reply, problem)
}
