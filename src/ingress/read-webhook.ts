import type { Verdict } from '../delivery/delivery.js'
import type { Fault, ProblemCode } from '../errors.js'
import { describeEvent, type EventDescription } from '../voucherify/describe-event.js'
import { dedupeKey, readEnvelope, readSubject, type EnvelopeFacts } from '../voucherify/identify.js'
import { expectedType, judge, type Expected, type Validate } from '../voucherify/judge.js'
import { isJsonObject, parseBody } from '../voucherify/parse-body.js'
import { isOldVersion } from '../voucherify/webhook-version.js'

export type { Expected, Validate } from '../voucherify/judge.js'

/** All that was read from a raw body. */
export interface Reading {
  readonly eventType: string
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
  /** What it is answered when its verdict does not let it in. */
  readonly problem: ProblemCode
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
  readonly description: EventDescription
  /** Whether the URL names another event than the envelope does. */
  readonly contradictsUrl: boolean
  /** Whether a key is called `__proto__`. */
  readonly poisoned: boolean
  /** Whether it is a webhook of the version before the one that this understands. */
  readonly oldVersion: boolean
}

/** Parses, identifies and validates a raw body. Never throws: what is wrong becomes the verdict. */
export function readWebhook (rawBody: Uint8Array, expected: Expected, validate: Validate): Reading {
  const parsed = parseBody(rawBody)
  if (!parsed.ok) return unreadable(expected, 'BODY_NOT_JSON', parsed.reason)
  const body = parsed.value
  if (!isJsonObject(body)) return unreadable(expected, 'EVENT_INVALID', 'must be an object')

  const facts = readEnvelope(body)
  const { eventType, verdict, faults } = judge(body, facts, expected, validate)
  const { customerId, campaignId } = readSubject(facts === null ? body : body['data'])
  // Key by key: spreading objects into the middle of another takes half as long as parsing the body.
  return {
    eventType,
    verdict,
    faults,
    problem: verdict === 'unvalidated' ? 'EVENT_UNVALIDATED' : 'EVENT_INVALID',
    body,
    facts,
    bare: facts === null,
    customerId,
    campaignId,
    dedupeKey: dedupeKey({ facts, body, rawBody }),
    json: true,
    description: describeEvent(body),
    contradictsUrl: expected.kind === 'event' && eventType !== expected.event.type,
    poisoned: parsed.poisoned,
    oldVersion: isOldVersion(body)
  }
}

function unreadable (expected: Expected, problem: ProblemCode, message: string): Reading {
  return {
    eventType: expectedType(expected),
    verdict: 'invalid',
    faults: [{ pointer: '', message }],
    problem,
    body: undefined,
    facts: null,
    bare: false,
    customerId: null,
    campaignId: null,
    dedupeKey: null,
    json: problem !== 'BODY_NOT_JSON',
    description: {},
    contradictsUrl: false,
    poisoned: false,
    oldVersion: false
  }
}
