import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest, type RawServerDefault } from 'fastify'
import { Problem } from '../errors.js'
import { trackAllowedMethods } from '../ingress/allowed-methods.js'
import { framingFault } from '../ingress/framing.js'
import { createListener, type Listener, type ListenerLimits } from '../ingress/listener.js'
import { noDefaultCompilers } from '../ingress/no-default-compilers.js'
import { answerProblem } from '../ingress/problem-answer.js'
import { createAuthorization, type AuthorizeOptions } from './authorize.js'
import { addOperatorRoutes, type OperatorRouteOptions } from './operator-routes.js'
import { compileParameters } from './parameters.js'
import { toOperatorProblem } from './problem.js'
import type { AdminApp } from './route-types.js'

export interface AdminAppOptions extends AuthorizeOptions, OperatorRouteOptions, ListenerLimits {
  readonly logger: FastifyBaseLogger
  /** Adds the page at `/` and what it is made of; such routes have `config: { open: true }`. */
  readonly addPage?: ((app: AdminApp) => void) | undefined
}

/** Ids of deliveries, up to some hundreds. */
const BODY_LIMIT_BYTES = 65_536

/** For answers that are data; a page names what it needs itself. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

/** The operator's application, not yet listening. */
export function createAdminApp (options: AdminAppOptions): AdminApp {
  const listener = createListener(options)
  const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => { refuse(error, request, reply, listener) }
  const app = Fastify<RawServerDefault>({
    ...listener.serverOptions,
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    // A client that reads events keeps its connection open, and must not keep the service from stopping.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: answerError,
    schemaController: noDefaultCompilers
  }).withTypeProvider<TypeBoxTypeProvider>()
  listener.watch(app.server)
  app.addHook('onClose', async () => { listener.close() })

  const allowedMethods = trackAllowedMethods(app)
  const authorize = createAuthorization(options)
  app.setValidatorCompiler(compileParameters)
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler(answerError)
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(HEADERS)
    done(refusalOf(request, authorize, allowedMethods))
  })
  addOperatorRoutes(app, options)
  options.addPage?.(app)
  return app
}

function refusalOf (request: FastifyRequest, authorize: (request: FastifyRequest) => void, allowedMethods: (path: string) => readonly string[]): Problem | undefined {
  const fault = framingFault(request.raw)
  if (fault !== undefined) return fault
  try {
    authorize(request)
  } catch (error) {
    return toOperatorProblem(error)
  }
  if (!request.is404) return undefined
  const allowed = allowedMethods(request.url.split('?', 1)[0] ?? '')
  if (allowed.length === 0) return new Problem('NOT_FOUND', { detail: 'What there is here, /docs shows.' })
  return new Problem('METHOD_NOT_ALLOWED', { detail: `This path takes ${allowed.join(', ')}.`, headers: { allow: allowed.join(', ') } })
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
