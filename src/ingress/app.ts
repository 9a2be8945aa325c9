import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { TSchema } from '@sinclair/typebox'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest, type RawServerDefault } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'
import { Problem } from '../errors.js'
import { catalogue } from '../voucherify/catalogue.js'
import { EnvelopeSchema } from '../voucherify/envelope.js'
import { compileValidator } from '../voucherify/validate.js'
import type { AcceptOptions, VerdictPolicy } from './accept.js'
import type { App } from './app-types.js'
import { trackAllowedMethods } from './allowed-methods.js'
import { checkRequiredHeaders, type RequiredHeader } from './authenticate.js'
import { answerClientError, answerProblem, toProblem } from './problem-answer.js'
import { addWebhookRoutes } from './webhook-routes.js'

export interface AppOptions extends AcceptOptions {
  readonly logger: FastifyBaseLogger
  readonly bodyLimitBytes: number
  /** Whose `X-Forwarded-For` is believed, as Fastify's `trustProxy` takes it. */
  readonly trustProxy: boolean | string[]
  readonly secrets: readonly string[]
  readonly requiredHeaders: readonly RequiredHeader[]
  /** Tells whether the sender's address is one of its own; `undefined` where addresses are not looked at. */
  readonly sourceFilter: { readonly allows: (address: string) => boolean, readonly mode: 'monitor' | 'enforce' } | undefined
  readonly policy: VerdictPolicy
}

/** The sender gives up on an answer after 10 s, so a request that takes longer to arrive is answered to nobody. */
const REQUEST_TIMEOUT_MS = 10_000
/** Longer than the 60 s for which common load balancers keep an idle connection, so that they close it and not we. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000

/** The public HTTP application, not yet listening. */
export function createApp (options: AppOptions): App {
  const app = Fastify<RawServerDefault>({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimitBytes,
    trustProxy: options.trustProxy,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // While we stop, what still comes in on open connections is accepted like everything before it.
    return503OnClosing: false,
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => { answerError(error, request, reply) },
    clientErrorHandler: (error, socket) => { answerClientError(error, socket) }
  }).withTypeProvider<TypeBoxTypeProvider>()

  const allowedMethods = trackAllowedMethods(app)
  app.setValidatorCompiler(createValidatorCompiler())
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.setErrorHandler((error, request, reply) => { answerError(error, request, reply) })
  app.setNotFoundHandler((request) => { throw notFound(allowedMethods(pathOf(request))) })
  app.addHook('onRequest', async (request) => { checkOrigin(request, options) })
  addWebhookRoutes(app, options)
  return app
}

/** What needs no body to be refused is refused before the body is read. */
function checkOrigin (request: FastifyRequest, { sourceFilter, requiredHeaders }: AppOptions): void {
  if (sourceFilter !== undefined && !sourceFilter.allows(request.ip)) {
    if (sourceFilter.mode === 'enforce') throw new Problem('SOURCE_NOT_ALLOWED', { detail: 'The address that this request comes from is not in ALLOWED_SOURCES.' })
    request.log.warn({ sourceAddress: request.ip }, 'webhook from an address that is not allowed')
  }
  checkRequiredHeaders(request.headers, requiredHeaders)
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send the body without a content encoding.', headers: { 'accept-encoding': 'identity' } })
  }
}

function notFound (allowed: readonly string[]): Problem {
  if (allowed.length > 0) {
    return new Problem('METHOD_NOT_ALLOWED', { detail: `This path takes ${allowed.join(', ')}.`, headers: { allow: allowed.join(', ') } })
  }
  return new Problem('NOT_FOUND', { detail: 'Webhooks go to /webhooks, to /webhooks/<event type> or to /webhooks/custom/<name>.' })
}

function pathOf (request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

function answerError (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error)
  const fields = { code: problem.code, status: problem.status, path: request.routeOptions.url ?? null, sourceAddress: request.ip, ms: Math.round(reply.elapsedTime) }
  if (problem.status >= 500) request.log.error({ ...fields, err: problem }, 'webhook not accepted')
  else request.log.warn({ ...fields, detail: problem.message, ...(problem.faults.length > 0 ? { faults: problem.faults } : {}) }, 'webhook refused')
  answerProblem(reply, problem)
}

/** Compiles each schema once for the whole app; the catalogue's before the first request needs them. */
function createValidatorCompiler () {
  const compiled = new Map<unknown, FastifyValidationResult>()
  const compile = ({ schema }: { schema: TSchema }): FastifyValidationResult => {
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
  for (const schema of [EnvelopeSchema, ...catalogue.flatMap((event) => [event.envelopeSchema, event.bodySchema])]) compile({ schema })
  return compile
}
