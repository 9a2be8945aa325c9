import { KindGuard, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

type Path = readonly string[]

/** A place in a valid value that its schema knows, with what the schema says of it. */
export interface Place {
  readonly pointer: string
  readonly path: Path
  readonly required: boolean
  readonly nullable: boolean
  readonly open: boolean
  /** A value that the schema does not take here. */
  readonly wrong: unknown
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongFor (schema: TSchema): unknown {
  if (KindGuard.IsString(schema)) return schema['format'] === 'date-time' ? '2026-02-30T00:00:00Z' : 42
  if (isDateOrDateTime(schema)) return '2026-13-01'
  if (KindGuard.IsInteger(schema)) return schema.maximum === undefined ? 1.5 : schema.maximum + 1
  if (KindGuard.IsUnion(schema) && schema.anyOf.some(branch => KindGuard.IsString(branch))) return true
  return KindGuard.IsLiteral(schema) ? 'NO_SUCH' : 'text'
}

function isDateOrDateTime (schema: TSchema): boolean {
  return KindGuard.IsUnion(schema) && schema.anyOf.every(branch => KindGuard.IsString(branch) && branch['format'] !== undefined)
}

function withoutNull (schema: TSchema): TSchema {
  if (!KindGuard.IsUnion(schema)) return schema
  const [only, ...others] = schema.anyOf.filter(branch => !KindGuard.IsNull(branch))
  return only !== undefined && others.length === 0 ? only : schema
}

function branchOf (schema: TSchema, value: unknown): TSchema {
  return KindGuard.IsUnion(schema) ? schema.anyOf.find(branch => Value.Check(branch, value)) ?? schema : schema
}

/** Every place in a valid value that its schema knows; places under metadata are the team's own and left out. */
export function * placesOf (schema: TSchema, value: unknown, path: Path = [], required = true): Generator<Place> {
  const inner = withoutNull(schema)
  const shape = branchOf(inner, value)
  const pointer = path.map(key => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  const open = KindGuard.IsObject(shape) && typeof shape.additionalProperties !== 'object'
  yield { pointer, path, required, nullable: Value.Check(schema, null), open, wrong: wrongFor(inner) }
  const parts: readonly TSchema[] = KindGuard.IsIntersect(shape) ? shape.allOf : [shape]
  for (const part of parts) {
    if (KindGuard.IsArray(part) && Array.isArray(value)) {
      for (const [index, item] of value.entries()) yield * placesOf(part.items, item, [...path, String(index)], false)
    } else if (KindGuard.IsObject(part) && isRecord(value)) {
      for (const [key, child] of Object.entries(value)) {
        const property = part.properties[key]
        if (property !== undefined) yield * placesOf(property, child, [...path, key], part.required?.includes(key) === true)
        else if (typeof part.additionalProperties === 'object') yield * placesOf(part.additionalProperties, child, [...path, key], false)
      }
    }
  }
}

/** The value with something else at the path; undefined removes the key. Needs a path with at least one key. */
export function replaceAt (value: unknown, [key, ...rest]: Path, replacement: unknown): unknown {
  if (key === undefined) return replacement
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    return items.map((item, index) => String(index) === key ? replaceAt(item, rest, replacement) : item)
  }
  if (!isRecord(value)) return value
  const { [key]: child, ...others } = value
  const next = replaceAt(child, rest, replacement)
  return next === undefined ? others : { ...others, [key]: next }
}

/** The value with an unlisted key in the object at the path. */
export function addAt (value: unknown, path: Path): unknown {
  const object = path.reduce<unknown>((at, key) => isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined, value)
  return isRecord(object) ? replaceAt(value, path, { ...object, unlisted: { keys: [1, null] } }) : value
}
