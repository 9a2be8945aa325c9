import type { FastifyRequest } from 'fastify'
import type { AcceptedWebhook } from '../delivery/observation.js'
import { traceIdOf } from '../delivery/trace-context.js'
import { OLD_VERSION, OLD_VERSION_ADVICE } from '../voucherify/webhook-version.js'
import type { Accepted, DecidedWebhook } from './accept.js'

/** Logs a webhook that is on disk, and warns if something about it is not right. */
export function logAccepted (request: Pick<FastifyRequest, 'headers' | 'ip' | 'log' | 'routeOptions'>, webhook: DecidedWebhook, { id, verdict, duplicate }: Accepted): void {
  const { log, ip: sourceAddress } = request
  const { parsed, proof, quarantined, faults } = webhook
  log.info({
    deliveryId: id,
    eventType: parsed.eventType,
    verdict,
    duplicate,
    quarantined,
    sourceId: parsed.facts?.sourceId ?? null,
    eventId: parsed.facts?.eventId ?? null,
    sourceAddress,
    // pino leaves undefined fields out of the line.
    traceId: traceIdOf(request.headers),
    secretNumber: proof.signed ? proof.secretNumber : undefined,
    canonical: proof.signed ? proof.canonical : undefined
  }, 'webhook accepted')
  const delivery = { deliveryId: id, eventType: parsed.eventType, sourceAddress }
  if (parsed.contradictsUrl) log.warn({ ...delivery, url: request.routeOptions.url }, 'webhook contradicts its url')
  if (duplicate) return
  if (quarantined) log.warn({ ...delivery, faults }, 'webhook quarantined')
  else if (verdict === 'invalid') log.warn({ ...delivery, faults }, 'webhook invalid')
  if (parsed.oldVersion) log.warn({ ...delivery, version: OLD_VERSION, advice: OLD_VERSION_ADVICE }, 'webhook version too old')
}

/** Describes a webhook that is on disk for code that counts webhooks. */
export function describeAccepted (
  { parsed, proof, quarantined, late }: DecidedWebhook,
  { id, verdict, duplicate }: Accepted,
  { ms, sourceAddress }: Pick<AcceptedWebhook, 'ms' | 'sourceAddress'>
): AcceptedWebhook {
  return {
    outcome: duplicate ? 'duplicate' : 'accepted',
    status: duplicate ? 200 : 202,
    ms,
    deliveryId: id,
    eventType: parsed.eventType,
    verdict,
    quarantined,
    late,
    sourceObject: parsed.facts?.sourceObject ?? null,
    sourceId: parsed.facts?.sourceId ?? null,
    eventId: parsed.facts?.eventId ?? null,
    faults: parsed.faults,
    secretNumber: proof.signed ? proof.secretNumber : undefined,
    sourceAddress,
    body: parsed.body
  }
}
