import fc from 'fast-check'
import { isJsonObject } from '../../src/voucherify/parse-body.js'

type Path = readonly string[]

const replacement = fc.oneof(
  fc.constantFrom<unknown>(null, 0, -1, 1.5, 13, 1e300, '', 'UNIT', 'MULTIPLY', 'campaign', '2024-02-29T00:00:00Z', '2023-02-29T00:00:00Z', '2024-02-29', [], {}, [null], true),
  fc.jsonValue({ maxDepth: 2 })
)

/** One change in a JSON value: another value, a key or item removed, or one added. */
export interface Mutation {
  readonly kind: 'replace' | 'remove' | 'add'
  /** The index of the place to change, modulo the number of places. */
  readonly place: number
  readonly value: unknown
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({ kind: fc.constantFrom('replace', 'replace', 'remove', 'add'), place: fc.nat(10_000), value: replacement })

export function mutate (value: unknown, { kind, place, value: other }: Mutation): unknown {
  const paths = [...pathsOf(value)]
  // The root cannot be removed, because a JSON text must remain.
  if (paths.length === 0 && kind === 'remove') return value
  return changed(value, paths[place % paths.length] ?? [], (old) => {
    if (kind === 'replace') return other
    if (kind === 'remove') return undefined
    if (Array.isArray(old)) return [...old, other]
    return isJsonObject(old) ? { ...old, added: other } : other
  })
}

/** Yields every place except the root. */
function * pathsOf (value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield * pathsOf(item, [...path, String(index)])
  else if (isJsonObject(value)) for (const [key, child] of Object.entries(value)) yield * pathsOf(child, [...path, key])
}

/** A change to `undefined` removes the value. */
function changed (value: unknown, [key, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value)
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    return items.map((item, index) => String(index) === key ? changed(item, rest, change) : item).filter((item) => item !== undefined)
  }
  if (!isJsonObject(value)) return value
  const next = changed(value[key], rest, change)
  return Object.fromEntries(Object.entries(value).flatMap(([name, old]) => name !== key ? [[name, old]] : next === undefined ? [] : [[name, next]]))
}
