import { Type, type Static } from '@sinclair/typebox'
import type { Delivery } from '../delivery/delivery.js'
import { eventTypePattern } from '../delivery/event-type-pattern.js'
import { isEnvelope } from '../voucherify/identify.js'
import { isJsonObject, parseBody } from '../voucherify/parse-body.js'

const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** One condition on a value in the event's own body. If a condition has several operators, all of them must hold. */
export const ConditionSchema = Type.Object({
  pointer: Type.String({ pattern: '^(?:/(?:[^~/]|~[01])*)*$', errorMessage: 'must be a JSON pointer, such as /campaign/id', description: 'A JSON pointer (RFC 6901) into the event\'s own body, such as /campaign/id.' }),
  equals: Type.Optional(Scalar),
  in: Type.Optional(Type.Array(Scalar, { minItems: 1 })),
  exists: Type.Optional(Type.Boolean({ description: 'Whether there is a value that is not null.' })),
  gte: Type.Optional(Type.Number()),
  lte: Type.Optional(Type.Number())
}, { additionalProperties: false })

export type Condition = Static<typeof ConditionSchema>

export interface FilterOptions {
  /** Event types, or patterns in which `*` stands for any characters. Absent: every type. */
  readonly events?: readonly string[] | undefined
  readonly verdicts?: ReadonlyArray<Delivery['verdict']> | undefined
  /** All conditions must hold. */
  readonly where?: readonly Condition[] | undefined
}

/** Returns a filter as text, from which `parseFilter` makes the filter again; `undefined` if the filter accepts every delivery. */
export function filterText ({ events, verdicts, where }: FilterOptions): string | undefined {
  return events === undefined && verdicts === undefined && where === undefined ? undefined : JSON.stringify({ events, verdicts, where })
}

/** Makes the filter from a text of `filterText`. */
export function parseFilter (text: string): (delivery: Delivery) => boolean {
  return createFilter(JSON.parse(text) as FilterOptions)
}

/**
 * Makes the function that tells whether a forwarder wants a delivery. A filter compares types, verdicts and values, and never runs configured code.
 */
export function createFilter ({ events, verdicts, where = [] }: FilterOptions): (delivery: Delivery) => boolean {
  const patterns = events?.map(eventTypePattern)
  const conditions = where.map(({ pointer, ...condition }) => ({ path: toPath(pointer), condition }))
  return (delivery) => {
    if (patterns !== undefined && !patterns.some((matches) => matches(delivery.eventType))) return false
    if (verdicts !== undefined && !verdicts.includes(delivery.verdict)) return false
    if (conditions.length === 0) return true
    const body = eventBody(delivery.rawBody)
    return conditions.every(({ path, condition }) => holds(condition, valueAt(body, path)))
  }
}

/** Splits a JSON pointer. `~1` is a slash and `~0` a tilde, to be decoded in this order (RFC 6901, section 4). */
function toPath (pointer: string): readonly string[] {
  return pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function eventBody (rawBody: Uint8Array): unknown {
  const parsed = parseBody(rawBody)
  if (!parsed.ok) return undefined
  return isJsonObject(parsed.value) && isEnvelope(parsed.value) ? parsed.value['data'] : parsed.value
}

function valueAt (value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const token of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, token)) return undefined
    found = (found as Readonly<Record<string, unknown>>)[token]
  }
  return found
}

function holds (condition: Omit<Condition, 'pointer'>, value: unknown): boolean {
  if (condition.equals !== undefined && value !== condition.equals) return false
  if (condition.in !== undefined && !condition.in.some((each) => each === value)) return false
  if (condition.exists !== undefined && (value !== undefined && value !== null) !== condition.exists) return false
  if (condition.gte !== undefined && !(typeof value === 'number' && value >= condition.gte)) return false
  if (condition.lte !== undefined && !(typeof value === 'number' && value <= condition.lte)) return false
  return true
}
