import type { TSchema } from '@sinclair/typebox'
import type { Difference } from './drift.js'

/** The keys that a schema lists, prepared for finding those that it does not. */
export interface Shape {
  readonly reportUnknown: (value: unknown, report: (difference: Difference) => void) => void
  /** A pointer into a value of the schema, with `*` for what differs from value to value. */
  readonly normalise: (pointer: string) => string
}

interface Node {
  readonly pointer: string
  /** Those that the schema lists, each with what it knows below; `undefined` where nothing is listed. */
  readonly keys: Map<string, Node | undefined> | undefined
  /** What is in an array, or below keys that are ids. */
  readonly each: Node | undefined
  /** What was told already, by key and kind of value. */
  readonly told: Map<string, Map<string, Difference>>
  /** The keys of the last value in their order, and what is known of each: the next one mostly has the same. */
  readonly lastKeys: string[]
  readonly lastKnown: Array<Node | 'nothing below' | 'not listed'>
}

/** Unlisted keys of one object that are told by name; more are likely ids, and told as `*`. */
const NAMES_TOLD = 20
const LONGEST_NAME = 64
/** Keys of one object whose order is remembered. */
const KEYS_REMEMBERED = 64
/** Items of an array, or members under ids, that are looked at. */
const ITEMS_LOOKED_AT = 20

/** Metadata, and other objects of which a schema lists nothing, are passed over. */
export function shapeOf (eventType: string, schema: TSchema): Shape {
  const root = nodeOf(schema, '')
  return {
    reportUnknown (value, report) { if (root !== undefined) look(eventType, root, value, report) },
    normalise: (pointer) => normalised(root, pointer)
  }
}

function nodeOf (schema: unknown, pointer: string): Node | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const { anyOf, allOf, items, properties, additionalProperties } = schema as Readonly<Record<string, unknown>>
  if (Array.isArray(anyOf)) return anyOf.map((branch) => nodeOf(branch, pointer)).reduce(merged, undefined)
  if (Array.isArray(allOf)) return allOf.map((part) => nodeOf(part, pointer)).reduce(merged, undefined)
  const each = nodeOf(items ?? additionalProperties, `${pointer}/*`)
  const listed = Object.entries(properties ?? {})
  if (each === undefined && listed.length === 0) return undefined
  return {
    pointer,
    keys: listed.length === 0 ? undefined : new Map(listed.map(([key, child]) => [key, nodeOf(child, `${pointer}/${key}`)])),
    each,
    told: new Map(),
    lastKeys: [],
    lastKnown: []
  }
}

/** What any of the branches lists is listed: which of them a value was meant for is not asked here. */
function merged (one: Node | undefined, other: Node | undefined): Node | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const keys = new Map(one.keys)
  for (const [key, child] of other.keys ?? []) keys.set(key, merged(keys.get(key), child))
  return { ...one, keys: keys.size === 0 ? undefined : keys, each: merged(one.each, other.each) }
}

function look (eventType: string, node: Node, value: unknown, report: (difference: Difference) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (node.each === undefined) return
    for (let index = 0; index < value.length && index < ITEMS_LOOKED_AT; index++) look(eventType, node.each, value[index], report)
    return
  }
  const members = value as Readonly<Record<string, unknown>>
  let index = -1
  // A parsed body has no prototype but the plain one, so what is enumerated is its own.
  for (const key in members) {
    index++
    if (node.keys === undefined) {
      if (node.each === undefined || index >= ITEMS_LOOKED_AT) return
      look(eventType, node.each, members[key], report)
      continue
    }
    const known = node.lastKeys[index] === key ? node.lastKnown[index] : knownOf(node, node.keys, key, index)
    if (known === 'nothing below') continue
    if (known === 'not listed' || known === undefined) report(told(eventType, node, key, kindOf(members[key])))
    else look(eventType, known, members[key], report)
  }
}

/** To compare a key with the one that stood there last takes a third of the time of looking it up. */
function knownOf (node: Node, keys: ReadonlyMap<string, Node | undefined>, key: string, index: number): Node | 'nothing below' | 'not listed' {
  const known = keys.get(key) ?? (keys.has(key) ? 'nothing below' : 'not listed')
  if (index < KEYS_REMEMBERED) {
    node.lastKeys[index] = key
    node.lastKnown[index] = known
  }
  return known
}

function told (eventType: string, node: Node, key: string, seen: string): Difference {
  let byKind = node.told.get(key)
  if (byKind === undefined) {
    const name = key.length > LONGEST_NAME || node.told.size >= NAMES_TOLD ? '*' : key
    byKind = node.told.get(name) ?? new Map<string, Difference>()
    node.told.set(name, byKind)
    key = name
  }
  let difference = byKind.get(seen)
  if (difference === undefined) {
    difference = { eventType, kind: 'unknown key', pointer: `${node.pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, expected: 'no such key', seen }
    byKind.set(seen, difference)
  }
  return difference
}

function normalised (root: Node | undefined, pointer: string): string {
  let node = root
  const parts = pointer.split('/').slice(1).map((part) => {
    const child: Node | undefined = node?.keys?.get(part)
    const listed = node?.keys?.has(part) === true
    const free = !listed && (node?.each !== undefined || node === undefined || /^\d+$/.test(part))
    node = listed ? child : node?.each
    return free ? '*' : part
  })
  return parts.map((part) => `/${part}`).join('')
}

/** What kind of JSON value it is. */
export function kindOf (value: unknown): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
