import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { TSchema } from '@sinclair/typebox'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest, type RawServerDefault } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'
import { Problem } from '../errors.js'
import { compileValidator } from '../voucherify/validate.js'
import { trackAllowedMethods } from './allowed-methods.js'
import type { App } from './app-types.js'
import { createBodyReader } from './bodies.js'
import { addHealthRoutes, type HealthRouteOptions } from './health-routes.js'
import { framingFault } from './framing.js'
import { createListener, type Listener, type ListenerLimits } from './listener.js'
import { noDefaultCompilers } from './no-default-compilers.js'
import { createOriginCheck, type OriginOptions } from './origin.js'
import { answerProblem, toProblem } from './problem-answer.js'
import { addWebhookRoutes, type WebhookRouteOptions } from './webhook-routes.js'

export interface AppOptions extends Omit<WebhookRouteOptions, 'checkOrigin'>, Omit<OriginOptions, 'mayLog'>, HealthRouteOptions, ListenerLimits {
  readonly logger: FastifyBaseLogger
  readonly bodyLimitBytes: number
  /** How much of all bodies together may have arrived that are not whole yet, in bytes; 32 MiB, or two bodies, where absent. */
  readonly arrivingBytes?: number
  /** Whose `X-Forwarded-For` is believed, as Fastify's `trustProxy` takes it. */
  readonly trustProxy: boolean | string[]
}

/** Far more than the sender ever has on its way at once. */
const ARRIVING_BYTES = 33_554_432

/** The public HTTP application, not yet listening. */
export function createApp (options: AppOptions): App {
  const listener = createListener({
    ...options,
    onClientError: (problem) => {
      options.onAnswer?.({ outcome: 'refused', status: problem.status, ms: 0, code: problem.code, toWebhook: false, rawBody: undefined })
    }
  })
  const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => { refuse(error, request, reply, { ...options, listener }) }
  const app = Fastify<RawServerDefault>({
    ...listener.serverOptions,
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy,
    // While we stop, what still comes in on open connections is accepted like everything before it.
    return503OnClosing: false,
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true },
    frameworkErrors: answerError,
    schemaController: noDefaultCompilers
  }).withTypeProvider<TypeBoxTypeProvider>()
  listener.watch(app.server)
  app.addHook('onClose', async () => { listener.close() })
  // Node would close on a client that has said all that it has to say, without the answer that it waits for. The webhook would
  // be stored, and sent again until the sender gives up.
  Object.assign(app.server, { httpAllowHalfOpen: true })

  const allowedMethods = trackAllowedMethods(app)
  app.setValidatorCompiler(createValidatorCompiler())
  // Answers are small and made here, key by key: a compiled serializer for each route is no faster, and costs the start.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.removeAllContentTypeParsers()
  const readBody = createBodyReader({
    limitBytes: options.bodyLimitBytes, arrivingBytes: options.arrivingBytes ?? Math.max(ARRIVING_BYTES, 2 * options.bodyLimitBytes)
  })
  app.addContentTypeParser('application/json', (_request, payload, done) => { readBody(payload, done) })
  app.setErrorHandler(answerError)
  app.addHook('onRequest', (request, _reply, done) => { done(refusalOf(request, allowedMethods)) })
  addHealthRoutes(app, options)
  addWebhookRoutes(app, { ...options, checkOrigin: createOriginCheck({ ...options, mayLog: listener.mayLog }) })
  return app
}

const UNKNOWN_NAME = 'CUSTOM_WEBHOOKS does not have this name. Set it to the names that are to be taken, such as CUSTOM_WEBHOOKS=crm, and restart the service.'

/** What is wrong with a request before its body is looked at, on any path. */
function refusalOf (request: FastifyRequest, allowedMethods: (path: string) => readonly string[]): Problem | undefined {
  return framingFault(request.raw) ?? (request.is404 ? notFound(pathOf(request), allowedMethods) : undefined)
}

function notFound (path: string, allowedMethods: (path: string) => readonly string[]): Problem {
  const allowed = allowedMethods(path)
  if (allowed.length > 0) {
    return new Problem('METHOD_NOT_ALLOWED', { detail: `This path takes ${allowed.join(', ')}.`, headers: { allow: allowed.join(', ') } })
  }
  if (/^\/webhooks\/custom\/./i.test(path)) return new Problem('NOT_FOUND', { detail: UNKNOWN_NAME })
  return new Problem('NOT_FOUND', { detail: 'Webhooks go to /webhooks, to /webhooks/<event type> or to /webhooks/custom/<name>, with a name from CUSTOM_WEBHOOKS.' })
}

/** The path as the router reads it: out of a whole URL (RFC 9112, section 3.2.2), too, up to the query, and decoded. */
function pathOf (request: FastifyRequest): string {
  const path = request.url.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/, 1)[0] ?? ''
  try {
    return decodeURI(path)
  } catch {
    // What cannot be decoded is no path of ours.
    return path
  }
}

function refuse (error: unknown, request: FastifyRequest, reply: FastifyReply, { listener, onAnswer }: Pick<AppOptions, 'onAnswer'> & { readonly listener: Listener }): void {
  const problem = toProblem(error)
  if (listener.mayLog({ code: problem.code, address: request.ip })) {
    const fields = { code: problem.code, status: problem.status, path: request.routeOptions.url ?? null, sourceAddress: request.ip, ms: Math.round(reply.elapsedTime) }
    if (isOurs(problem)) request.log.error({ ...fields, err: problem }, 'webhook not accepted')
    else request.log.warn({ ...fields, detail: problem.message, ...(problem.faults.length > 0 ? { faults: problem.faults } : {}) }, 'webhook refused')
  }
  // Who is refused begins anew: so a refusal costs a connection, and nothing that was sent behind it is read.
  if (!isOurs(problem)) listener.endAfter(request.raw, reply.raw)
  answerProblem(reply, problem)
  onAnswer?.({
    outcome: 'refused',
    status: problem.status,
    ms: reply.elapsedTime,
    code: problem.code,
    toWebhook: request.routeOptions.url?.startsWith('/webhooks') ?? false,
    rawBody: request.body instanceof Uint8Array ? request.body : undefined
  })
}

/** Whether a person has to look at what happened here: anybody can send so much at once that there is no room for it. */
function isOurs ({ status, code }: Problem): boolean {
  return status >= 500 && code !== 'BODIES_TOO_MANY'
}

/** Compiles each schema once for the whole app, when it is needed first: all of them are a tenth of the start, and few senders use all. */
function createValidatorCompiler () {
  const compiled = new Map<unknown, FastifyValidationResult>()
  return ({ schema }: { schema: TSchema }): FastifyValidationResult => {
    const known = compiled.get(schema)
    if (known !== undefined) return known
    const faultsOf = compileValidator(schema)
    const check: FastifyValidationResult = (value: unknown) => {
      const faults = faultsOf(value)
      check.errors = faults.map(({ pointer, message }) => ({ keyword: '', instancePath: pointer, schemaPath: '', params: {}, message }))
      return faults.length === 0
    }
    compiled.set(schema, check)
    return check
  }
}
