import type { IncomingHttpHeaders } from 'node:http'
import type { NewDelivery } from '../delivery/delivery.js'
import type { Journal } from '../delivery/journal.js'
import { Problem, type Fault } from '../errors.js'
import { contentKey } from '../voucherify/identify.js'
import { OLD_VERSION, OLD_VERSION_ADVICE } from '../voucherify/webhook-version.js'
import type { Proof } from './authenticate.js'
import type { Reading } from './read-webhook.js'

/** What to do with authentic events that are not what one would wish. */
export interface VerdictPolicy {
  readonly invalid: 'forward' | 'quarantine' | 'reject'
  readonly unvalidated: 'forward' | 'quarantine' | 'reject'
  /** What to do with bodies that have no envelope, whatever their verdict. */
  readonly rawPayloads: 'accept' | 'refuse'
}

/**
 * Decides what becomes of a webhook that was read. What is signed gets in whatever its verdict, unless the policy says
 * otherwise: a refusal would be counted against the team's webhook at the sender.
 * @returns whether the delivery is held in quarantine
 * @throws {Problem} BODY_NOT_JSON, RAW_PAYLOAD_REFUSED, EVENT_INVALID or EVENT_UNVALIDATED
 */
export function decide (reading: Reading, proof: Proof, policy: VerdictPolicy): { held: boolean } {
  if (!proof.signed) refuseUnsigned(reading)
  if (policy.rawPayloads === 'refuse' && reading.bare) throw new Problem('RAW_PAYLOAD_REFUSED', { detail: RAW_PAYLOAD_REFUSED })
  switch (reading.verdict) {
    case 'valid':
      return { held: false }
    case 'invalid':
      if (!proof.signed) throw refusal(reading)
      // The signature is right, so the body is what the sender meant: never a 400, which is for what can't be read.
      if (policy.invalid === 'reject') throw refusal({ ...reading, problem: 'EVENT_INVALID' })
      return { held: policy.invalid === 'quarantine' }
    case 'unvalidated':
      if (policy.unvalidated === 'reject') throw refusal(reading)
      return { held: policy.unvalidated === 'quarantine' }
  }
}

const RAW_PAYLOAD_REFUSED = 'The body has no envelope, and RAW_PAYLOADS is refuse. Untick "Raw payload" in the distribution, or set RAW_PAYLOADS=accept and restart the service.'

function refuseUnsigned (reading: Reading): void {
  if (reading.poisoned) throw new Problem('BODY_NOT_JSON', { detail: 'The body has a key called __proto__.' })
  if (reading.contradictsUrl) {
    throw new Problem('EVENT_INVALID', {
      detail: 'The envelope names another event than the URL does. Send it to /webhooks, or to the URL of its own event.',
      faults: [{ pointer: '/event/type', message: 'must be the event type that the URL names' }]
    })
  }
}

function refusal (reading: Reading): Problem {
  switch (reading.problem) {
    case 'BODY_NOT_JSON':
      return new Problem('BODY_NOT_JSON', { detail: reading.faults[0]?.message ?? 'The body is not JSON.' })
    case 'EVENT_UNVALIDATED':
      return new Problem('EVENT_UNVALIDATED', { detail: 'There is no schema for this event type, and UNVALIDATED_EVENTS is reject.' })
    default:
      return new Problem('EVENT_INVALID', { detail: invalidDetail(reading), faults: reading.faults })
  }
}

function invalidDetail (reading: Reading): string {
  if (reading.oldVersion) return `This is a webhook of version ${OLD_VERSION}. ${OLD_VERSION_ADVICE}`
  const count = reading.faults.length
  return `The body does not match the schema${count > 0 ? ` in ${count} ${count === 1 ? 'place' : 'places'}` : ''}: see errors.`
}

/** The request headers that are kept with a delivery. */
const KEPT_HEADERS = ['content-type', 'x-voucherify-signature', 'user-agent', 'traceparent', 'tracestate'] as const

/** In characters. Nothing that matters is longer, and a destination that has less room for headers than we would refuse the event for them. */
const LONGEST_HEADER = 1024

export function keptHeaders (headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string' && value.length <= LONGEST_HEADER) kept[name] = value
  }
  return kept
}

export interface AcceptOptions {
  readonly journal: Journal
  readonly newId: () => string
  readonly now: () => number
  /** How long equal content is a copy of a body that has neither an id nor a time of its own, in milliseconds; 0: never. */
  readonly dedupeUnidentifiedMs: number
}

export interface Accepted {
  readonly id: string
  readonly verdict: NewDelivery['verdict']
  readonly duplicate: boolean
}

/**
 * By what copies of it are told. What cannot be understood is held once, by its content: nobody needs it twice. Other bodies that have
 * neither an id nor a time of their own may rightly come twice, and none of them may be lost.
 */
function identityOf (reading: Reading, rawBody: Uint8Array, held: boolean, unidentifiedMs: number): Pick<NewDelivery, 'dedupeKey' | 'dedupeWithinMs'> {
  if (reading.dedupeKey !== null) return { dedupeKey: reading.dedupeKey }
  if (held && reading.verdict === 'invalid') return { dedupeKey: contentKey(rawBody, reading) }
  return unidentifiedMs === 0 ? { dedupeKey: null } : { dedupeKey: contentKey(rawBody, reading), dedupeWithinMs: unidentifiedMs }
}

/** Puts a delivery on disk. Resolves only then. */
export async function journalWebhook (
  webhook: { reading: Reading, faults: readonly Fault[], rawBody: Uint8Array, headers: IncomingHttpHeaders, held: boolean },
  { journal, newId, now, dedupeUnidentifiedMs }: AcceptOptions
): Promise<Accepted> {
  const { reading, faults, rawBody, headers, held } = webhook
  const appended = await journal.append({
    id: newId(),
    receivedAt: now(),
    eventType: reading.eventType,
    verdict: reading.verdict,
    faults,
    held,
    ...identityOf(reading, rawBody, held, dedupeUnidentifiedMs),
    sourceObject: reading.facts?.sourceObject ?? null,
    sourceId: reading.facts?.sourceId ?? null,
    eventId: reading.facts?.eventId ?? null,
    projectId: reading.facts?.projectId ?? null,
    customerId: reading.customerId,
    campaignId: reading.campaignId,
    headers: keptHeaders(headers),
    rawBody,
    description: reading.description
  })
  return { id: appended.id, verdict: appended.verdict, duplicate: appended.status === 'duplicate' }
}
