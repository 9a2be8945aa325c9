import { Type, type Static } from '@sinclair/typebox'
import type { Delivery } from '../delivery/delivery.js'
import { eventTypePattern } from '../delivery/event-type-pattern.js'
import { isEnvelope } from '../voucherify/identify.js'
import { isJsonObject, parseBody } from '../voucherify/parse-body.js'

const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** One condition on a value of the event's own body. All operators that are there must hold. */
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
  /** All of them must hold. */
  readonly where?: readonly Condition[] | undefined
}

/** A filter as text, from which `parseFilter` makes it again; `undefined` where it lets everything through. */
export function filterText ({ events, verdicts, where }: FilterOptions): string | undefined {
  return events === undefined && verdicts === undefined && where === undefined ? undefined : JSON.stringify({ events, verdicts, where })
}

/** Makes the filter of a text that `filterText` has made. */
export function parseFilter (text: string): (delivery: Delivery) => boolean {
  return createFilter(JSON.parse(text) as FilterOptions)
}

/** Tells whether a forwarder wants a delivery. No code is run: only types, verdicts and values are compared. */
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

/** RFC 6901, section 4: `~1` is a slash and `~0` a tilde, in this order. */
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
