import type { IncomingHttpHeaders } from 'node:http'
import type { NewDelivery } from '../delivery/delivery.js'
import type { Journal } from '../delivery/journal.js'
import type { Fault } from '../errors/problem.js'
import { contentKey } from '../voucherify/identify.js'
import type { Proof } from './authenticate.js'
import type { SignedTimes } from './lateness.js'
import type { ParsedWebhook } from './parsed-webhook.js'

/** The request headers that are stored with a delivery. */
const KEPT_HEADERS = ['content-type', 'x-voucherify-signature', 'user-agent', 'traceparent', 'tracestate'] as const

/**
 * The longest header value that is stored, in characters. No useful value is longer, and a destination with a lower limit for headers would
 * refuse the event.
 */
const MAX_HEADER_LENGTH = 1024

export function keptHeaders (headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string' && value.length <= MAX_HEADER_LENGTH) kept[name] = value
  }
  return kept
}

export interface AcceptOptions {
  readonly journal: Pick<Journal, 'append'>
  readonly newId: () => string
  readonly now: () => number
  /** For how long equal content counts as a copy if a body has neither an id nor a time, in milliseconds; 0: never. */
  readonly dedupeUnidentifiedMs: number
}

/** A webhook with the decision what happens to it. */
export interface DecidedWebhook {
  readonly rawBody: Uint8Array
  readonly proof: Proof
  readonly parsed: ParsedWebhook
  /** Whether the delivery goes into quarantine. */
  readonly quarantined: boolean
  /** Whether it is quarantined because the event is older than the deduplication window. */
  readonly late: boolean
  /** The times in a signed envelope; `undefined` if the body is not signed or has no envelope. */
  readonly times: SignedTimes | undefined
  /** The faults that validation found, and the fault that the event is too old. */
  readonly faults: readonly Fault[]
}

export interface Accepted {
  readonly id: string
  readonly verdict: NewDelivery['verdict']
  readonly duplicate: boolean
}

/**
 * Returns how copies of the webhook are recognized. A quarantined body that is invalid is identified by its content and stored once, because a
 * second copy is of no use. Other bodies with neither an id nor a time may be different events with equal content, so none of them may be lost.
 */
function identityOf ({ parsed, rawBody, quarantined }: DecidedWebhook, unidentifiedMs: number): Pick<NewDelivery, 'dedupeKey' | 'dedupeWithinMs'> {
  if (parsed.dedupeKey !== null) return { dedupeKey: parsed.dedupeKey }
  if (quarantined && parsed.verdict === 'invalid') return { dedupeKey: contentKey(rawBody, parsed) }
  return unidentifiedMs === 0 ? { dedupeKey: null } : { dedupeKey: contentKey(rawBody, parsed), dedupeWithinMs: unidentifiedMs }
}

/** Stores the webhook as a delivery. Resolves when it is on disk. */
export async function journalWebhook (webhook: DecidedWebhook, headers: IncomingHttpHeaders, { journal, newId, now, dedupeUnidentifiedMs }: AcceptOptions): Promise<Accepted> {
  const { parsed, quarantined, faults, rawBody } = webhook
  const appended = await journal.append({
    id: newId(),
    receivedAt: now(),
    eventType: parsed.eventType,
    verdict: parsed.verdict,
    faults,
    quarantined,
    ...identityOf(webhook, dedupeUnidentifiedMs),
    sourceObject: parsed.facts?.sourceObject ?? null,
    sourceId: parsed.facts?.sourceId ?? null,
    eventId: parsed.facts?.eventId ?? null,
    projectId: parsed.facts?.projectId ?? null,
    customerId: parsed.customerId,
    campaignId: parsed.campaignId,
    headers: keptHeaders(headers),
    rawBody
  })
  return { id: appended.id, verdict: appended.verdict, duplicate: appended.status === 'duplicate' }
}
