import type { Verdict } from '../delivery/delivery.js'
import type { Fault } from '../errors/problem.js'
import { dedupeKey, readEnvelope, readSubject, type EnvelopeFacts } from '../voucherify/identify.js'
import { expectedType, identify, verdictOf, type Expected } from '../voucherify/judge.js'
import { isJsonObject, type ParsedBody } from '../voucherify/parse-body.js'
import { isOldVersion } from '../voucherify/webhook-version.js'

/** Everything that a body says about itself. */
export interface ParsedWebhook {
  readonly eventType: string
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
  /** The parsed body; `undefined` if it could not be parsed. */
  readonly body: unknown
  /** What the envelope says; `null` if there is none. */
  readonly facts: EnvelopeFacts | null
  /** Whether the body is an object without an envelope. The sender calls that a raw payload. */
  readonly bare: boolean
  readonly customerId: string | null
  readonly campaignId: string | null
  /** `null` if the body has neither an id nor a time by which its copies can be recognized. */
  readonly dedupeKey: string | null
  /** Whether the body is JSON. */
  readonly json: boolean
  /** Whether the URL names another event than the envelope. */
  readonly contradictsUrl: boolean
  /** Whether a key is called `__proto__`. */
  readonly poisoned: boolean
  /** Whether the body is a webhook of the old version, which tierhook does not understand. */
  readonly oldVersion: boolean
}

export interface ValidatedBody {
  readonly rawBody: Uint8Array
  readonly parsed: ParsedBody
  /** What the URL accepts. */
  readonly expected: Expected
  /** How the parsed body differs from the schema of its event. */
  readonly faults: readonly Fault[]
}

/** Reads a body that was validated. Never throws: a fault makes the verdict `invalid`. */
export function readWebhook ({ rawBody, parsed, expected, faults }: ValidatedBody): ParsedWebhook {
  if (!parsed.ok) return unreadable(expected, { json: false, faults: [{ pointer: '', message: parsed.reason }], body: undefined })
  const body = parsed.value
  if (!isJsonObject(body)) return unreadable(expected, { json: true, faults, body })

  const facts = readEnvelope(body)
  const { eventType, schema } = identify(body, facts, expected)
  const { customerId, campaignId } = readSubject(facts === null ? body : body['data'])
  // Written key by key: spreading objects into another one takes half as long as parsing the body.
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
