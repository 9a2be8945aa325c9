import type { IncomingHttpHeaders } from 'node:http'
import type { NewDelivery } from '../delivery/delivery.js'
import type { Journal } from '../delivery/journal.js'
import type { Fault } from '../errors/problem.js'
import { contentKey } from '../voucherify/identify.js'
import type { Proof } from './authenticate.js'
import type { SignedTimes } from './lateness.js'
import type { ParsedWebhook } from './parsed-webhook.js'

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
  readonly journal: Pick<Journal, 'append'>
  readonly newId: () => string
  readonly now: () => number
  /** How long equal content is a copy of a body that has neither an id nor a time of its own, in milliseconds; 0: never. */
  readonly dedupeUnidentifiedMs: number
}

/** A webhook of which it is decided what becomes of it. */
export interface DecidedWebhook {
  readonly rawBody: Uint8Array
  readonly proof: Proof
  readonly parsed: ParsedWebhook
  /** Whether it goes into quarantine. */
  readonly quarantined: boolean
  /** Whether it does because it is too old to be new. */
  readonly late: boolean
  /** What its envelope says of its times; `undefined` where it is not signed, or there is none. */
  readonly times: SignedTimes | undefined
  /** What validation found, and that it is too old. */
  readonly faults: readonly Fault[]
}

export interface Accepted {
  readonly id: string
  readonly verdict: NewDelivery['verdict']
  readonly duplicate: boolean
}

/**
 * By what copies of it are told. What cannot be understood is stored once, by its content: nobody needs it twice. Other bodies that have
 * neither an id nor a time of their own may rightly come twice, and none of them may be lost.
 */
function identityOf ({ parsed, rawBody, quarantined }: DecidedWebhook, unidentifiedMs: number): Pick<NewDelivery, 'dedupeKey' | 'dedupeWithinMs'> {
  if (parsed.dedupeKey !== null) return { dedupeKey: parsed.dedupeKey }
  if (quarantined && parsed.verdict === 'invalid') return { dedupeKey: contentKey(rawBody, parsed) }
  return unidentifiedMs === 0 ? { dedupeKey: null } : { dedupeKey: contentKey(rawBody, parsed), dedupeWithinMs: unidentifiedMs }
}

/** Puts a delivery on disk. Resolves only then. */
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
