import type { TSchema } from '@sinclair/typebox'
import type { Fault } from '../errors.js'
import { findEvent, type CatalogueEntry } from './catalogue.js'
import { EnvelopeSchema } from './envelope.js'
import { readEnvelope, type EnvelopeFacts } from './identify.js'
import { isJsonObject, parseBody, type JsonObject } from './parse-body.js'
import { compileValidator, type Validator } from './validate.js'
import { isOldVersion, oldVersionFault } from './webhook-version.js'

/** What a URL takes: `any` needs an envelope, `event` takes a bare body too, `custom` knows no schema. */
export type Expected =
  | { readonly kind: 'any' }
  | { readonly kind: 'event', readonly event: CatalogueEntry }
  | { readonly kind: 'custom', readonly name: string }

export type Validate = (schema: TSchema, value: unknown) => readonly Fault[]

/** What an event is, and whether it is as its schema says. */
export interface Judgement {
  readonly eventType: string
  readonly verdict: 'valid' | 'invalid' | 'unvalidated'
  readonly faults: readonly Fault[]
}

/** The event type of what is authentic and yet not an event. */
export const UNKNOWN_EVENT_TYPE = 'unknown'

const CUSTOM_PREFIX = 'custom.'

/** Judges a body by the event that it says it is, and where it does not say, by the URL that it came to. `facts` is `null` for a bare body. */
export function judge (body: JsonObject, facts: EnvelopeFacts | null, expected: Expected, validate: Validate): Judgement {
  if (expected.kind !== 'custom' && isOldVersion(body)) return judged(expectedType(expected), [oldVersionFault])
  switch (expected.kind) {
    case 'custom':
      return { eventType: facts?.eventType ?? expectedType(expected), verdict: 'unvalidated', faults: [] }
    case 'event':
      if (facts === null) return judged(expected.event.type, validate(expected.event.bodySchema, body))
      return judgeEnvelope(body, facts.eventType ?? expectedType(expected), validate)
    case 'any':
      if (facts === null || facts.eventType === null) return judged(UNKNOWN_EVENT_TYPE, needsEnvelope(body, validate))
      return judgeEnvelope(body, facts.eventType, validate)
  }
}

/** The event type of what does not say one itself. */
export function expectedType (expected: Expected): string {
  switch (expected.kind) {
    case 'any': return UNKNOWN_EVENT_TYPE
    case 'event': return expected.event.type
    case 'custom': return `${CUSTOM_PREFIX}${expected.name}`
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

/** Judges an event anew that was accepted before: from its event type follows what its URL took. Never throws. */
export type JudgeAgain = (event: { readonly eventType: string, readonly rawBody: Uint8Array }) => Pick<Judgement, 'verdict' | 'faults'>

/** Compiles each schema when it is first needed. */
export function createJudge (): JudgeAgain {
  const validators = new Map<TSchema, Validator>()
  const validate: Validate = (schema, value) => {
    const validator = validators.get(schema) ?? compileValidator(schema)
    validators.set(schema, validator)
    return validator(value)
  }
  return ({ eventType, rawBody }) => {
    const parsed = parseBody(rawBody)
    if (!parsed.ok) return { verdict: 'invalid', faults: [{ pointer: '', message: parsed.reason }] }
    const body = parsed.value
    if (!isJsonObject(body)) return { verdict: 'invalid', faults: [{ pointer: '', message: 'must be an object' }] }
    const { verdict, faults } = judge(body, readEnvelope(body), expectedBy(eventType), validate)
    return { verdict, faults }
  }
}

function expectedBy (eventType: string): Expected {
  const event = findEvent(eventType)
  if (event !== undefined) return { kind: 'event', event }
  return eventType.startsWith(CUSTOM_PREFIX) ? { kind: 'custom', name: eventType.slice(CUSTOM_PREFIX.length) } : { kind: 'any' }
}
