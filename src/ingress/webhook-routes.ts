import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { TOO_OLD } from '../delivery/delivery.js'
import type { Observer } from '../delivery/observation.js'
import { traceIdOf } from '../delivery/trace-context.js'
import type { Fault } from '../errors.js'
import { catalogue } from '../voucherify/catalogue.js'
import { EnvelopeSchema } from '../voucherify/envelope.js'
import { OLD_VERSION, OLD_VERSION_ADVICE } from '../voucherify/webhook-version.js'
import { decide, journalWebhook, type AcceptOptions, type VerdictPolicy } from './accept.js'
import { AcceptedSchema, ProblemSchema } from './answers.js'
import type { App } from './app-types.js'
import { authenticate, checkSignatureHeader, type Proof } from './authenticate.js'
import { readTimes, type Lateness } from './lateness.js'
import type { OriginCheck } from './origin.js'
import { type Expected, readWebhook, type Reading } from './read-webhook.js'

export interface WebhookRouteOptions extends AcceptOptions {
  readonly secrets: readonly string[]
  readonly policy: VerdictPolicy
  /**
   * The names that have a URL below `/webhooks/custom/`, as they are written in event types. There are no others: whoever has captured one
   * bare body could make as many events of it as there are names.
   */
  readonly customWebhooks: readonly string[]
  readonly lateness: Lateness
  /** Refuses, before the body is read, what can be refused by then. */
  readonly checkOrigin: OriginCheck
  readonly onAnswer?: Observer['webhookAnswered']
}

/** What the API description says of a route. */
export interface RouteDescription extends FastifyContextConfig {
  readonly summary: string
  readonly body: TSchema
}

const EMPTY = new Uint8Array(0)

const response = { 200: AcceptedSchema, 202: AcceptedSchema, '4xx': ProblemSchema, '5xx': ProblemSchema }

/** Adds `/webhooks`, a URL for each event in the catalogue, and one below `/webhooks/custom/` for each name that is configured. */
export function addWebhookRoutes (app: App, options: WebhookRouteOptions): void {
  const onRequest = (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    options.checkOrigin(request)
    checkSignatureHeader(request.headers, options.secrets)
    done()
  }
  // The schema of the body is not the route's own: a body is judged once it is known to be authentic, by the schema of the
  // event that it is, and to an authentic body a failed validation is a label and not an answer.
  const anyWebhook: RouteDescription = {
    summary: 'Any Voucherify webhook in its envelope',
    body: Type.Union([...catalogue.map((event) => event.envelopeSchema), EnvelopeSchema])
  }
  app.post('/webhooks', { config: anyWebhook, schema: { response }, onRequest }, async (request, reply) => {
    const { status, body } = await accept(request, reply, { kind: 'any' }, options)
    return reply.code(status).send(body)
  })

  for (const event of catalogue) {
    const oneEvent: RouteDescription = {
      summary: `${event.documentationName}, in its envelope or as a raw payload`,
      body: Type.Union([event.envelopeSchema, event.bodySchema])
    }
    for (const name of [event.type, event.documentationName]) {
      app.post(`/webhooks/${name}`, { config: oneEvent, schema: { response }, onRequest }, async (request, reply) => {
        const { status, body } = await accept(request, reply, { kind: 'event', event }, options)
        return reply.code(status).send(body)
      })
    }
  }

  const custom: RouteDescription = { summary: 'A body of your own design', body: Type.Object({}) }
  for (const name of options.customWebhooks) {
    app.post(`/webhooks/custom/${name}`, { config: custom, schema: { response }, onRequest }, async (request, reply) => {
      const { status, body } = await accept(request, reply, { kind: 'custom', name }, options)
      return reply.code(status).send(body)
    })
  }
}

/** The part of a request that this needs, whatever the route's types. */
type WebhookRequest = Pick<FastifyRequest, 'body' | 'headers' | 'log' | 'routeOptions' | 'compileValidationSchema'>

/** Proves, reads, decides and stores, in this order. What is refused is thrown as a `Problem`. */
async function accept (request: WebhookRequest, reply: Pick<FastifyReply, 'elapsedTime'>, expected: Expected, options: WebhookRouteOptions): Promise<{ status: 200 | 202, body: Static<typeof AcceptedSchema> }> {
  const rawBody = request.body instanceof Uint8Array ? request.body : EMPTY
  const proof = authenticate(rawBody, request.headers, options.secrets)
  const reading = readWebhook(rawBody, expected, (schema, value) => validate(request, schema, value))
  const decision = decide(reading, proof, options.policy)
  // What is not signed says nothing of its time.
  const times = proof.signed && reading.facts !== null ? readTimes(reading.body) : undefined
  const late = times !== undefined && options.lateness.isLate(times)
  const held = decision.held || late
  const faults = late ? [...reading.faults, { pointer: '/event/created_at', message: TOO_OLD }] : reading.faults
  const { id, verdict, duplicate } = await journalWebhook({ reading, faults, rawBody, headers: request.headers, held }, options)
  if (times !== undefined && !(late && duplicate)) options.lateness.accepted(times, late)
  logAccepted(request, { id, verdict, duplicate, held, faults, proof, reading })
  const status = duplicate ? 200 : 202
  options.onAnswer?.({
    outcome: duplicate ? 'duplicate' : 'accepted',
    status,
    ms: reply.elapsedTime,
    deliveryId: id,
    eventType: reading.eventType,
    verdict,
    held,
    sourceObject: reading.facts?.sourceObject ?? null,
    sourceId: reading.facts?.sourceId ?? null,
    eventId: reading.facts?.eventId ?? null,
    faults: reading.faults,
    secretNumber: proof.signed ? proof.secretNumber : undefined,
    body: reading.body
  })
  const body = { message: 'Webhook accepted' as const, id, verdict }
  return { status, body: duplicate ? { ...body, duplicate } : body }
}

/** Validates through the app's validator compiler, which compiles each schema once. */
function validate (request: WebhookRequest, schema: TSchema, value: unknown): readonly Fault[] {
  const check = request.compileValidationSchema(schema, 'body')
  if (check(value)) return []
  return (check.errors ?? []).map(({ instancePath, message }) => ({ pointer: instancePath, message: message ?? 'is wrong' }))
}

interface AcceptedFacts {
  readonly id: string
  readonly verdict: string
  readonly duplicate: boolean
  readonly held: boolean
  readonly faults: readonly Fault[]
  readonly proof: Proof
  readonly reading: Reading
}

function logAccepted (request: WebhookRequest, { id, verdict, duplicate, held, faults, proof, reading }: AcceptedFacts): void {
  request.log.info({
    deliveryId: id,
    eventType: reading.eventType,
    verdict,
    duplicate,
    held,
    sourceId: reading.facts?.sourceId ?? null,
    eventId: reading.facts?.eventId ?? null,
    // What is undefined is left out of the line.
    traceId: traceIdOf(request.headers),
    secretNumber: proof.signed ? proof.secretNumber : undefined,
    canonical: proof.signed ? proof.canonical : undefined
  }, 'webhook accepted')
  if (reading.contradictsUrl) request.log.warn({ deliveryId: id, eventType: reading.eventType, url: request.routeOptions.url }, 'webhook contradicts its url')
  if (duplicate) return
  if (held) request.log.warn({ deliveryId: id, eventType: reading.eventType, faults }, 'webhook held in quarantine')
  else if (verdict === 'invalid') request.log.warn({ deliveryId: id, eventType: reading.eventType, faults }, 'webhook invalid')
  if (reading.oldVersion) request.log.warn({ deliveryId: id, version: OLD_VERSION, advice: OLD_VERSION_ADVICE }, 'webhook version too old')
}
