import type { Difference } from './drift.js'
import { documentedKeywords } from './objects/documented-keywords.js'

/** The part of a schema that describes the values at one place. */
export interface Node {
  readonly pointer: string
  /** The keys that the schema lists; `undefined` if it lists none. */
  readonly keys: ReadonlyMap<string, Key> | undefined
  /** The number of keys that the documentation always requires. */
  readonly required: number
  /** Keys that the documentation requires only if another key has a certain value. */
  readonly requiredWhere: readonly Key[]
  /** The items of an array, or the values under keys that are ids. */
  readonly each: Node | undefined
  /** Whether the schema lists only some of the keys. Unknown keys are not reported then. */
  readonly partial: boolean
  /** Unknown keys that were reported, by key and kind of value. */
  readonly told: Map<string, Map<string, Difference>>
  /** How many of these names each source was the first to have. */
  readonly toldFor: Map<string, number>
  /** The keys of the last value in their order, and what is known of each. The next value usually has the same ones. */
  readonly lastKeys: string[]
  readonly lastKnown: Array<Key | 'not listed'>
}

/** What is known of one key of an object. */
export interface Key {
  readonly name: string
  /** The node of the key's value; `undefined` if nothing is known of it. */
  readonly below: Node | undefined
  /** The documented values, if the value is a text. */
  readonly listed: Listed | undefined
  /** `undefined` if the documentation does not require the key. */
  readonly missing: Missing | undefined
  /** Whether the documentation always requires the key. */
  readonly required: boolean
  /** Whether only the key's name is known. */
  readonly plain: boolean
}

/** The values that the documentation lists for a text. */
interface Listed {
  readonly values: ReadonlySet<string>
  readonly unlisted: Difference
  /** The last value that was found in the list. The next one is usually the same. */
  last: string
}

/** The differences to report if a required key is missing. */
interface Missing {
  readonly absent: Difference
  /** `undefined` if the documentation allows null. */
  readonly null: Difference | undefined
  readonly where: { readonly key: string, readonly value: string } | undefined
}

/** Converts a schema to the node of a place; `undefined` if the schema says nothing that a value could differ from. */
export function nodeOf (eventType: string, schema: unknown, pointer: string): Node | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const { anyOf, allOf, items, properties, additionalProperties } = schema as Readonly<Record<string, unknown>>
  if (Array.isArray(anyOf)) return anyOf.map((branch) => nodeOf(eventType, branch, pointer)).reduce(merged, undefined)
  if (Array.isArray(allOf)) return allOf.map((part) => nodeOf(eventType, part, pointer)).reduce(merged, undefined)
  const each = nodeOf(eventType, items ?? additionalProperties, `${pointer}/*`)
  const keys = Object.entries(properties ?? {}).map(([name, child]) => keyOf(eventType, name, child, `${pointer}/${name}`))
  if (each === undefined && keys.length === 0) return undefined
  return createNode(pointer, keys, each, additionalProperties === true)
}

function createNode (pointer: string, keys: readonly Key[], each: Node | undefined, partial: boolean): Node {
  return {
    pointer,
    keys: keys.length === 0 ? undefined : new Map(keys.map((key) => [key.name, key])),
    required: keys.filter(({ required }) => required).length,
    requiredWhere: keys.filter(({ missing }) => missing?.where !== undefined),
    each,
    partial,
    told: new Map(),
    toldFor: new Map(),
    lastKeys: [],
    lastKnown: []
  }
}

function keyOf (eventType: string, name: string, schema: unknown, pointer: string): Key {
  return createKey(name, nodeOf(eventType, schema, pointer), listedIn(eventType, schema, pointer), missingOf(eventType, schema, pointer))
}

function createKey (name: string, below: Node | undefined, listed: Listed | undefined, missing: Missing | undefined): Key {
  const required = missing !== undefined && missing.where === undefined
  return { name, below, listed, missing, required, plain: below === undefined && listed === undefined && !required }
}

/** Returns the documented values, also if the value may be null instead. */
function listedIn (eventType: string, schema: unknown, pointer: string): Listed | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const { documentedValues: values } = documentedKeywords(schema)
  if (values === undefined) return 'anyOf' in schema && Array.isArray(schema.anyOf) ? schema.anyOf.map((branch) => listedIn(eventType, branch, pointer)).find((found) => found !== undefined) : undefined
  const expected = values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`
  return { values: new Set(values), unlisted: { eventType, kind: 'unknown value', pointer, expected, seen: 'string' }, last: '' }
}

function missingOf (eventType: string, schema: unknown, pointer: string): Missing | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const { documentedKey } = documentedKeywords(schema)
  if (documentedKey === undefined) return undefined
  const { orNull = false, where } = documentedKey
  const expected = where === undefined ? 'a documented key' : `a documented key of ${where.key} ${where.value}`
  const absent: Difference = { eventType, kind: 'missing key', pointer, expected, seen: 'absent' }
  return { absent, null: orNull ? undefined : { ...absent, seen: 'null' }, where }
}

/** Merges what the branches of a union list. It does not matter here for which branch a value was meant. */
function merged (one: Node | undefined, other: Node | undefined): Node | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const keys = new Map(one.keys)
  for (const [name, key] of other.keys ?? []) {
    const known = keys.get(name)
    keys.set(name, known === undefined ? key : createKey(name, merged(known.below, key.below), known.listed ?? key.listed, known.missing ?? key.missing))
  }
  return createNode(one.pointer, [...keys.values()], merged(one.each, other.each), one.partial || other.partial)
}
