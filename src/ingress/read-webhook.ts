import type { TSchema } from '@sinclair/typebox'
import type { Verdict } from '../delivery/delivery.js'
import type { Fault, ProblemCode } from '../errors.js'
import { findEvent, type CatalogueEntry } from '../voucherify/catalogue.js'
import { EnvelopeSchema } from '../voucherify/envelope.js'
import { dedupeKey, isEnvelope, readEnvelope, readSubject, type EnvelopeFacts } from '../voucherify/identify.js'
import { isJsonObject, parseBody, type JsonObject } from '../voucherify/parse-body.js'

/** What a URL takes: `any` needs an envelope, `event` takes a bare body too, `custom` knows no schema. */
export type Expected =
  | { readonly kind: 'any' }
  | { readonly kind: 'event', readonly event: CatalogueEntry }
  | { readonly kind: 'custom', readonly name: string }

/** All that was read from a raw body. */
export interface Reading {
  readonly eventType: string
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
  /** What an unsigned request is answered when the verdict does not let it in. */
  readonly problem: ProblemCode
  readonly facts: EnvelopeFacts | null
  readonly customerId: string | null
  readonly campaignId: string | null
  readonly dedupeKey: string | null
  /** Whether the URL names another event than the envelope does. */
  readonly contradictsUrl: boolean
  /** Whether a key is called `__proto__`. */
  readonly poisoned: boolean
}

export type Validate = (schema: TSchema, value: unknown) => readonly Fault[]

interface Judgement {
  readonly eventType: string
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
}

/** The event type of what is authentic and yet not an event. */
export const UNKNOWN_EVENT_TYPE = 'unknown'

/** Parses, identifies and validates a raw body. Never throws: what is wrong becomes the verdict. */
export function readWebhook (rawBody: Uint8Array, expected: Expected, validate: Validate): Reading {
  const parsed = parseBody(rawBody)
  if (!parsed.ok) return unreadable(expected, 'BODY_NOT_JSON', parsed.reason)
  const body = parsed.value
  if (!isJsonObject(body)) return unreadable(expected, 'EVENT_INVALID', 'must be an object')

  const facts = readEnvelope(body)
  const judgement = judge(body, facts, expected, validate)
  return {
    ...judgement,
    problem: judgement.verdict === 'unvalidated' ? 'EVENT_UNVALIDATED' : 'EVENT_INVALID',
    facts,
    ...readSubject(isEnvelope(body) ? body['data'] : body),
    dedupeKey: dedupeKey(facts, body, rawBody, judgement.eventType),
    contradictsUrl: expected.kind === 'event' && judgement.eventType !== expected.event.type,
    poisoned: parsed.poisoned
  }
}

function judge (body: JsonObject, facts: EnvelopeFacts, expected: Expected, validate: Validate): Judgement {
  const enveloped = isEnvelope(body)
  switch (expected.kind) {
    case 'custom':
      return { eventType: facts.eventType ?? `custom.${expected.name}`, verdict: 'unvalidated', faults: [] }
    case 'event':
      if (!enveloped) return judged(expected.event.type, validate(expected.event.bodySchema, body))
      return judgeEnvelope(body, facts.eventType ?? expected.event.type, validate)
    case 'any':
      if (facts.eventType === null) return judged(UNKNOWN_EVENT_TYPE, needsEnvelope(body, validate))
      return judgeEnvelope(body, facts.eventType, validate)
  }
}

function judgeEnvelope (body: JsonObject, eventType: string, validate: Validate): Judgement {
  const event = findEvent(eventType)
  if (event !== undefined) return judged(eventType, validate(event.envelopeSchema, body))
  if (!Object.hasOwn(body, 'data')) return judged(eventType, needsEnvelope(body, validate))
  return { eventType, verdict: 'unvalidated', faults: [] }
}

function needsEnvelope (body: JsonObject, validate: Validate): readonly Fault[] {
  const faults = validate(EnvelopeSchema, body)
  return faults.length > 0 ? faults : [{ pointer: '/event/type', message: 'must be an event type' }]
}

function judged (eventType: string, faults: readonly Fault[]): Judgement {
  return { eventType, verdict: faults.length === 0 ? 'valid' : 'invalid', faults }
}

function unreadable (expected: Expected, problem: ProblemCode, message: string): Reading {
  return {
    eventType: expectedType(expected),
    verdict: 'invalid',
    faults: [{ pointer: '', message }],
    problem,
    facts: null,
    customerId: null,
    campaignId: null,
    dedupeKey: null,
    contradictsUrl: false,
    poisoned: false
  }
}

function expectedType (expected: Expected): string {
  switch (expected.kind) {
    case 'any': return UNKNOWN_EVENT_TYPE
    case 'event': return expected.event.type
    case 'custom': return `custom.${expected.name}`
  }
}
