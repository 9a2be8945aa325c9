import type { Verdict } from '../delivery/delivery.js'
import type { Fault } from '../errors/problem.js'
import { dedupeKey, readEnvelope, readSubject, type EnvelopeFacts } from '../voucherify/identify.js'
import { expectedType, identify, verdictOf, type Expected } from '../voucherify/judge.js'
import { isJsonObject, type ParsedBody } from '../voucherify/parse-body.js'
import { isOldVersion } from '../voucherify/webhook-version.js'

/** All that a body says of itself. */
export interface ParsedWebhook {
  readonly eventType: string
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
  /** The parsed body; `undefined` where it could not be parsed. */
  readonly body: unknown
  /** What the envelope says; `null` where there is none. */
  readonly facts: EnvelopeFacts | null
  /** Whether it is an object without an envelope: a raw payload, in the sender's words. */
  readonly bare: boolean
  readonly customerId: string | null
  readonly campaignId: string | null
  /** `null` where neither an id nor a time of its own tells copies of it. */
  readonly dedupeKey: string | null
  /** Whether the body is JSON. */
  readonly json: boolean
  /** Whether the URL names another event than the envelope does. */
  readonly contradictsUrl: boolean
  /** Whether a key is called `__proto__`. */
  readonly poisoned: boolean
  /** Whether it is a webhook of the version before the one that this understands. */
  readonly oldVersion: boolean
}

export interface ValidatedBody {
  readonly rawBody: Uint8Array
  readonly parsed: ParsedBody
  /** What the URL takes. */
  readonly expected: Expected
  /** How the parsed body differs from the schema of what it is. */
  readonly faults: readonly Fault[]
}

/** Reads a body that was validated. Never throws: what is wrong becomes the verdict. */
export function readWebhook ({ rawBody, parsed, expected, faults }: ValidatedBody): ParsedWebhook {
  if (!parsed.ok) return unreadable(expected, { json: false, faults: [{ pointer: '', message: parsed.reason }], body: undefined })
  const body = parsed.value
  if (!isJsonObject(body)) return unreadable(expected, { json: true, faults, body })

  const facts = readEnvelope(body)
  const { eventType, schema } = identify(body, facts, expected)
  const { customerId, campaignId } = readSubject(facts === null ? body : body['data'])
  // Key by key: spreading objects into the middle of another takes half as long as parsing the body.
  return {
    eventType,
    verdict: verdictOf(schema, faults),
    faults,
    body,
    facts,
    bare: facts === null,
    customerId,
    campaignId,
    dedupeKey: dedupeKey({ facts, body, rawBody }),
    json: true,
    contradictsUrl: expected.kind === 'event' && eventType !== expected.event.type,
    poisoned: parsed.poisoned,
    oldVersion: isOldVersion(body)
  }
}

function unreadable (expected: Expected, { json, faults, body }: Pick<ParsedWebhook, 'json' | 'faults' | 'body'>): ParsedWebhook {
  return {
    eventType: expectedType(expected),
    verdict: 'invalid',
    faults,
    body,
    facts: null,
    bare: false,
    customerId: null,
    campaignId: null,
    dedupeKey: null,
    json,
    contradictsUrl: false,
    poisoned: false,
    oldVersion: false
  }
}
