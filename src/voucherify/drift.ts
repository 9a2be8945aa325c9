import type { TSchema } from '@sinclair/typebox'
import type { Fault } from '../errors/problem.js'
import { catalogue } from './catalogue.js'
import { findWrongDirection } from './direction.js'
import { isEnvelope } from './identify.js'
import { isJsonObject } from './parse-body.js'
import { kindOf, shapeOf, type Shape } from './shape.js'

/**
 * A `fault` makes an event `invalid`. `missing key`: the documentation requires the key. `unknown value`: the documentation lists other values.
 * `wrong direction`: a raw payload sent to the URL for upgrades whose points go down, or the reverse. `unknown event type`: the event is
 * `unvalidated`.
 */
export const driftKinds = ['fault', 'missing key', 'unknown key', 'unknown value', 'wrong direction', 'unknown event type'] as const
export type DriftKind = (typeof driftKinds)[number]

/** What to do about a kind of drift, if that is not obvious. */
export const driftAdvice: Readonly<Partial<Record<DriftKind, string>>> = {
  'wrong direction': 'A raw payload does not say which event it is, so it is taken for the one that its URL names. Compare the URL of the distribution with its event. If they agree, another sender may have sent a captured webhook to this URL.'
}

/** One way in which events of a type differ from their schema. Contains no value of an event. */
export interface Difference {
  readonly eventType: string
  readonly kind: DriftKind
  /** A JSON pointer (RFC 6901) with `*` for the index of an array and for keys that are ids. */
  readonly pointer: string
  readonly expected: string
  /** The kind of value found: `null`, `string`, `number`, `boolean`, `array`, `object` or `absent`; or the direction in which the points go. */
  readonly seen: string
}

/** An accepted event with its verdict. */
export interface JudgedEvent {
  readonly eventType: string
  readonly verdict: 'valid' | 'invalid' | 'unvalidated'
  readonly faults: readonly Fault[]
  readonly body: unknown
}

export interface DriftFinder {
  /**
   * Reports how an event differs from its schema. A repeated difference is reported as the same object, so callers can count by object. Only
   * faults are new objects each time. The number of names reported is limited per `source`, which may be any text.
   */
  readonly find: (event: JudgedEvent, source: string, report: (difference: Difference) => void) => void
  /** Forgets the names that were reported. A new finder would have to prepare each event type again while webhooks wait. */
  readonly forget: () => void
}

/** How many unknown event types are reported as the same object each time. Further ones get a new object each time. */
const REMEMBERED_TYPES = 256
/** The most faults of one event that are reported. */
const FAULTS_TOLD = 20

/** Events that the team itself designed. They have no schema to differ from. */
const CUSTOM_PREFIX = 'custom.'

/** Makes a finder, which is prepared for speed because it examines every event that comes in. */
export function createDriftFinder (): DriftFinder {
  const events = new Map(catalogue.map((event) => [event.type as string, event]))
  const envelopes = new Map<string, Shape>()
  const bodies = new Map<string, Shape>()
  const unknownTypes = new Map<string, Difference>()

  function unknownType (eventType: string): Difference {
    const known = unknownTypes.get(eventType)
    if (known !== undefined) return known
    const difference: Difference = { eventType, kind: 'unknown event type', pointer: '/event/type', expected: 'a known event type', seen: 'string' }
    if (unknownTypes.size < REMEMBERED_TYPES) unknownTypes.set(eventType, difference)
    return difference
  }

  /** Returns the prepared schema. Prepared on first use, because preparing all of them would lengthen each start by a tenth of a second. */
  function shapeFor ({ type, envelopeSchema, bodySchema }: (typeof catalogue)[number], bare: boolean): Shape {
    const prepared = bare ? bodies : envelopes
    const known = prepared.get(type)
    if (known !== undefined) return known
    const shape = shapeOf(type, (bare ? bodySchema : envelopeSchema) as TSchema)
    prepared.set(type, shape)
    return shape
  }

  return {
    find ({ eventType, verdict, faults, body }, source, report) {
      const known = events.get(eventType)
      if (verdict === 'unvalidated') {
        if (known === undefined && !eventType.startsWith(CUSTOM_PREFIX)) report(unknownType(eventType))
        return
      }
      const bare = isJsonObject(body) && !isEnvelope(body)
      const shape = known === undefined || !isJsonObject(body) ? undefined : shapeFor(known, bare)
      if (shape !== undefined) shape.reportDrift(body, source, report)
      const wrongDirection = bare ? findWrongDirection(eventType, body) : undefined
      if (wrongDirection !== undefined) report(wrongDirection)
      for (let index = 0; index < faults.length && index < FAULTS_TOLD; index++) {
        const fault = faults[index]
        if (fault !== undefined) report(asDifference(eventType, fault, body, shape))
      }
    },
    forget () {
      for (const shape of [...envelopes.values(), ...bodies.values()]) shape.forget()
      unknownTypes.clear()
    }
  }
}

function asDifference (eventType: string, { pointer, message }: Fault, body: unknown, shape: Shape | undefined): Difference {
  return {
    eventType,
    kind: 'fault',
    pointer: shape === undefined ? pointer : shape.normalise(pointer),
    // The position at which parsing failed differs between bodies.
    expected: message.replace(/ \(at character \d+\)/, ''),
    seen: kindOf(valueAt(body, pointer))
  }
}

function valueAt (body: unknown, pointer: string): unknown {
  let value = body
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    value = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  }
  return value
}
