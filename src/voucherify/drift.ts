import type { TSchema } from '@sinclair/typebox'
import type { Fault } from '../errors/problem.js'
import { catalogue } from './catalogue.js'
import { findWrongDirection } from './direction.js'
import { isEnvelope } from './identify.js'
import { isJsonObject } from './parse-body.js'
import { kindOf, shapeOf, type Shape } from './shape.js'

/**
 * `fault` is what makes an event `invalid`; with all others it is `valid`. `missing key`: the documents require it. `unknown value`:
 * the documents list others. `wrong direction`: a raw payload that has come to the URL for upgrades, and whose points go down; or the
 * other way round.
 */
export const driftKinds = ['fault', 'missing key', 'unknown key', 'unknown value', 'wrong direction', 'unknown event type'] as const
export type DriftKind = (typeof driftKinds)[number]

/** What to do about a kind of drift, where that does not go without saying. */
export const driftAdvice: Readonly<Partial<Record<DriftKind, string>>> = {
  'wrong direction': 'A raw payload does not say which event it is, so it is taken for the one that its URL names. Compare the URL of the distribution with its event. If they agree, somebody may have sent a captured webhook to another URL.'
}

/** One way in which events of a type differ from what is known of them. Never holds a value. */
export interface Difference {
  readonly eventType: string
  readonly kind: DriftKind
  /** A JSON pointer (RFC 6901) with `*` for the index of an array, and for keys that are no names but ids. */
  readonly pointer: string
  readonly expected: string
  /** What kind of value is there: `null`, `string`, `number`, `boolean`, `array`, `object`, or `absent`; or which way the points go. */
  readonly seen: string
}

/** An authentic event, after it was judged. */
export interface JudgedEvent {
  readonly eventType: string
  readonly verdict: 'valid' | 'invalid' | 'unvalidated'
  readonly faults: readonly Fault[]
  readonly body: unknown
}

export interface DriftFinder {
  /**
   * Tells how an event differs from its schema. What is told again is told by the same object, so that whoever counts can
   * count by it; faults alone are put together anew each time. What is told by name is bounded for each `source`, which is any text.
   */
  readonly find: (event: JudgedEvent, source: string, report: (difference: Difference) => void) => void
  /** Begins anew with what is told by name. Another finder would have to prepare each type of event once more, while webhooks wait. */
  readonly forget: () => void
}

/** Types that are told one by one; a type that comes after them is put together anew each time. */
const REMEMBERED_TYPES = 256
/** Places of one event that are told at the most. */
const FAULTS_TOLD = 20

/** Events of one's own design: nobody knows how they should be. */
const CUSTOM_PREFIX = 'custom.'

/** Prepares what is needed to find drift fast: it is done for each event that comes in. */
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

  /** Prepared when the first such event comes: to prepare all would take a tenth of a second of every start. */
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
    // Where JSON broke off differs from one body to the next.
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
