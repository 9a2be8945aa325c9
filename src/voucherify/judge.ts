import type { TSchema } from '@sinclair/typebox'
import type { Fault } from '../errors/problem.js'
import { findEvent, type CatalogueEntry } from './catalogue.js'
import { EnvelopeSchema } from './envelope.js'
import { readEnvelope, type EnvelopeFacts } from './identify.js'
import { isJsonObject, parseBody, type JsonObject } from './parse-body.js'
import { validate } from './validate.js'
import { isOldVersion, oldVersionFault } from './webhook-version.js'

/** What a URL accepts: `any` requires an envelope, `event` accepts a bare body too, and `custom` has no schema. */
export type Expected =
  | { readonly kind: 'any' }
  | { readonly kind: 'event', readonly event: CatalogueEntry }
  | { readonly kind: 'custom', readonly name: string }

/** An event's type, and whether the event matches its schema. */
export interface Judgement {
  readonly eventType: string
  readonly verdict: 'valid' | 'invalid' | 'unvalidated'
  readonly faults: readonly Fault[]
}

/** The event type of an authentic body that is not an event. */
export const UNKNOWN_EVENT_TYPE = 'unknown'

const CUSTOM_PREFIX = 'custom.'

/** A body's event type, and the schema that the body must match. */
export interface Identity {
  readonly eventType: string
  /** `null` if the event type has no schema. */
  readonly schema: TSchema | null
}

/** Identifies a body by the event type in it or, if it has none, by the URL that received it. `facts` is `null` for a bare body. */
export function identify (body: JsonObject, facts: EnvelopeFacts | null, expected: Expected): Identity {
  if (expected.kind !== 'custom' && isOldVersion(body)) return { eventType: expectedType(expected), schema: EnvelopeSchema }
  switch (expected.kind) {
    case 'custom':
      return { eventType: facts?.eventType ?? expectedType(expected), schema: null }
    case 'event':
      if (facts === null) return { eventType: expected.event.type, schema: expected.event.bodySchema }
      return identifyEnvelope(body, facts.eventType ?? expectedType(expected))
    case 'any':
      if (facts === null || facts.eventType === null) return { eventType: UNKNOWN_EVENT_TYPE, schema: EnvelopeSchema }
      return identifyEnvelope(body, facts.eventType)
  }
}

/** Returns the event type of a body that does not contain one. */
export function expectedType (expected: Expected): string {
  switch (expected.kind) {
    case 'any': return UNKNOWN_EVENT_TYPE
    case 'event': return expected.event.type
    case 'custom': return `${CUSTOM_PREFIX}${expected.name}`
  }
}

function identifyEnvelope (body: JsonObject, eventType: string): Identity {
  const event = findEvent(eventType)
  if (event !== undefined) return { eventType, schema: event.envelopeSchema }
  return { eventType, schema: Object.hasOwn(body, 'data') ? null : EnvelopeSchema }
}

/** Identifies a body and validates it. */
export function judge (body: JsonObject, facts: EnvelopeFacts | null, expected: Expected): Judgement {
  const { eventType, schema } = identify(body, facts, expected)
  const faults = schema === null ? [] : faultsOf(body, schema)
  return { eventType, verdict: verdictOf(schema, faults), faults }
}

export function verdictOf (schema: TSchema | null, faults: readonly Fault[]): Judgement['verdict'] {
  if (faults.length > 0) return 'invalid'
  return schema === null ? 'unvalidated' : 'valid'
}

function faultsOf (body: JsonObject, schema: TSchema): readonly Fault[] {
  if (schema !== EnvelopeSchema) return validate(schema, body)
  // The schema is `EnvelopeSchema` only for a body that does not identify its event.
  if (isOldVersion(body)) return [oldVersionFault]
  const faults = validate(schema, body)
  return faults.length > 0 ? faults : [{ pointer: '/event/type', message: 'must be an event type' }]
}

/** Judges an accepted event again. The event type tells what its URL accepts. Never throws. */
export type Rejudge = (event: { readonly eventType: string, readonly rawBody: Uint8Array }) => Pick<Judgement, 'verdict' | 'faults'>

export function createJudge (): Rejudge {
  return ({ eventType, rawBody }) => {
    const parsed = parseBody(rawBody)
    if (!parsed.ok) return { verdict: 'invalid', faults: [{ pointer: '', message: parsed.reason }] }
    const body = parsed.value
    if (!isJsonObject(body)) return { verdict: 'invalid', faults: [{ pointer: '', message: 'must be an object' }] }
    const { verdict, faults } = judge(body, readEnvelope(body), expectedBy(eventType))
    return { verdict, faults }
  }
}

function expectedBy (eventType: string): Expected {
  const event = findEvent(eventType)
  if (event !== undefined) return { kind: 'event', event }
  return eventType.startsWith(CUSTOM_PREFIX) ? { kind: 'custom', name: eventType.slice(CUSTOM_PREFIX.length) } : { kind: 'any' }
}
