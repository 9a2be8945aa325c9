import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest, preHandlerHookHandler } from 'fastify'
import { TOO_OLD } from '../delivery/delivery.js'
import type { Observer, ProvenEvent } from '../delivery/observation.js'
import type { AnswerError } from '../http/app.js'
import { answerProblems } from '../http/problem-answer.js'
import { catalogue } from '../voucherify/catalogue.js'
import type { Expected } from '../voucherify/judge.js'
import { parseBody, type ParsedBody } from '../voucherify/parse-body.js'
import { journalWebhook, type AcceptOptions, type DecidedWebhook } from './accept.js'
import { authenticate, checkSignatureHeader, type Proof } from './authenticate.js'
import { createBodyReader, type BodyReaderOptions } from './bodies.js'
import { readTimes, type Lateness } from './lateness.js'
import { describeAccepted, logAccepted } from './note-accepted.js'
import type { OriginCheck } from './origin.js'
import { readWebhook } from './parsed-webhook.js'
import { isQuarantined, type VerdictPolicy } from './policy.js'
import { AcceptedSchema, compileWebhookSchema, InvalidBody, webhookSchema } from './webhook-schema.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as received, with its proof. Set from `preValidation` on. */
    received: { readonly rawBody: Uint8Array, readonly proof: Proof, readonly parsed: ParsedBody } | null
    /** The ids of the event, set when the body is proven to be signed by the sender. */
    provenEvent: ProvenEvent | null
    /** The webhook with the decision about it. Set from `preHandler` on. */
    webhook: DecidedWebhook | null
  }
}

export interface WebhookRouteOptions extends AcceptOptions, BodyReaderOptions {
  readonly secrets: readonly string[]
  readonly policy: VerdictPolicy
  /**
   * The names with a URL below `/webhooks/custom/`, as they are written in event types. Other names are refused: otherwise a captured body
   * without an envelope could be made into as many events as there are names.
   */
  readonly customWebhooks: readonly string[]
  readonly lateness: Lateness
  /** Refuses requests for reasons that do not need the body. */
  readonly checkOrigin: OriginCheck
  /** Answers refused requests. */
  readonly onRefusal: AnswerError
  readonly onAnswer?: Observer['webhookAnswered']
}

const EMPTY = new Uint8Array(0)

/**
 * Adds `/webhooks`, a URL for each event in the catalogue, and one below `/webhooks/custom/` for each configured name. A request goes through
 * the hooks in the order of Fastify's lifecycle. A body is parsed only after it is proven, and failed validation alone refuses nothing.
 */
export const webhookRoutes: FastifyPluginCallbackTypebox<WebhookRouteOptions> = (app, options, done) => {
  const { secrets, checkOrigin } = options
  app.decorateRequest('received', null)
  app.decorateRequest('provenEvent', null)
  app.decorateRequest('webhook', null)
  app.setErrorHandler(options.onRefusal)
  app.setValidatorCompiler(compileWebhookSchema)

  app.addHook('onRequest', (request, _reply, next) => {
    checkOrigin(request)
    checkSignatureHeader(request.headers, secrets)
    next()
  })

  const readBody = createBodyReader(options)
  app.addContentTypeParser('application/json', (_request, payload, next) => { readBody(payload, next) })

  app.addHook('preValidation', (request, _reply, next) => {
    const rawBody = request.body instanceof Uint8Array ? request.body : EMPTY
    const proof = authenticate(rawBody, request.headers, secrets)
    const parsed = parseBody(rawBody)
    request.received = { rawBody, proof, parsed }
    request.body = parsed.ok ? parsed.value : null
    next()
  })

  for (const { path, summary, expected } of routesFor(options.customWebhooks)) {
    app.post(`/webhooks${path}`, {
      schema: {
        operationId: `receive ${path.slice(1) || 'any'}`.replaceAll(/[^A-Za-z0-9._-]+/g, '_'),
        summary,
        tags: ['Webhooks'],
        body: webhookSchema(expected),
        response: { 200: AcceptedSchema, 202: AcceptedSchema, ...answerProblems }
      },
      attachValidation: true,
      preHandler: decide(expected, options)
    }, async (request, reply) => {
      const webhook = afterHooks(request.webhook)
      const { id, verdict, duplicate } = await journalWebhook(webhook, request.headers, options)
      if (webhook.times !== undefined && !(webhook.late && duplicate)) options.lateness.accepted(webhook.times, webhook.late)
      logAccepted(request, webhook, { id, verdict, duplicate })
      options.onAnswer?.(describeAccepted(webhook, { id, verdict, duplicate }, { ms: reply.elapsedTime, sourceAddress: request.ip }))
      const answer = { message: 'Webhook accepted' as const, id, verdict }
      if (duplicate) return await reply.code(200).send({ ...answer, duplicate })
      return await reply.code(202).send(answer)
    })
  }
  done()
}

interface WebhookRoute {
  /** The path below `/webhooks`. */
  readonly path: string
  readonly summary: string
  readonly expected: Expected
}

function routesFor (customWebhooks: readonly string[]): WebhookRoute[] {
  return [
    { path: '', summary: 'Any Voucherify webhook in its envelope', expected: { kind: 'any' } },
    ...catalogue.flatMap((event) => [event.type, event.documentationName].map((name): WebhookRoute => ({
      path: `/${name}`, summary: `${event.documentationName}, in its envelope or as a raw payload`, expected: { kind: 'event', event }
    }))),
    ...customWebhooks.map((name): WebhookRoute => ({ path: `/custom/${name}`, summary: 'A body of your own design', expected: { kind: 'custom', name } }))
  ]
}

/** Makes the hook that decides what happens to a webhook under the policy. */
function decide (expected: Expected, { policy, lateness }: Pick<WebhookRouteOptions, 'policy' | 'lateness'>): preHandlerHookHandler {
  return (request, _reply, next) => {
    const { rawBody, proof, parsed: parsedBody } = afterHooks(request.received)
    const parsed = readWebhook({ rawBody, parsed: parsedBody, expected, faults: faultsOf(request.validationError) })
    if (proof.signed) request.provenEvent = { sourceId: parsed.facts?.sourceId ?? null, eventId: parsed.facts?.eventId ?? null }
    const quarantined = isQuarantined(parsed, proof, policy)
    // Times that are not signed prove nothing.
    const times = proof.signed && parsed.facts !== null ? readTimes(parsed.body) : undefined
    const late = times !== undefined && lateness.isLate(times)
    const faults = late ? [...parsed.faults, { pointer: '/event/created_at', message: TOO_OLD }] : parsed.faults
    request.webhook = { rawBody, proof, parsed, quarantined: quarantined || late, late, times, faults }
    next()
  }
}

/** Returns the faults that validation found. If validation itself failed, throws that error. */
function faultsOf (validationError: FastifyRequest['validationError']): DecidedWebhook['faults'] {
  if (validationError === undefined) return []
  if (validationError instanceof InvalidBody) return validationError.faults
  throw validationError
}

function afterHooks<T> (value: T | null): T {
  if (value === null) throw new TypeError('The hooks before this one have not run')
  return value
}
