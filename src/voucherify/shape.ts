import type { TSchema } from '@sinclair/typebox'
import type { Difference } from './drift.js'
import { nodeOf, type Key, type Node } from './shape-node.js'

/** A schema with the documentation's statements, prepared for finding differences quickly. */
export interface Shape {
  /** Reports unknown keys, missing keys, and values that the documentation does not list. */
  readonly reportDrift: (value: unknown, source: string, report: (difference: Difference) => void) => void
  /** Forgets which keys were reported, and of which source. */
  readonly forget: () => void
  /** Returns a pointer with `*` in the place of array indexes and ids. */
  readonly normalise: (pointer: string) => string
}

/** How many unknown keys of one object are reported by name per source. More are probably ids, and are reported as `*`. */
const NAMES_TOLD = 20
/** The same limit for all sources together. */
const NAMES_REMEMBERED = 100
const MAX_NAME_LENGTH = 64
/** How many keys of one object are remembered in their order. */
const KEYS_REMEMBERED = 64
/** How many items of an array, or values under ids, are examined. */
const ITEMS_LOOKED_AT = 20

/** Prepares a schema. Metadata and other objects whose keys are not listed are ignored. */
export function shapeOf (eventType: string, schema: TSchema): Shape {
  const root = nodeOf(eventType, schema, '')
  const touched = new Set<Node>()
  return {
    reportDrift (value, source, report) { if (root !== undefined) look({ eventType, source, report, touched }, root, value) },
    forget () {
      for (const { told, toldFor } of touched) {
        told.clear()
        toldFor.clear()
      }
      touched.clear()
    },
    normalise: (pointer) => normalised(root, pointer)
  }
}

/** The context of one event's examination. */
interface Looking {
  readonly eventType: string
  readonly source: string
  readonly report: (difference: Difference) => void
  /** The nodes with reported keys. */
  readonly touched: Set<Node>
}

function look (looking: Looking, node: Node, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (node.each === undefined) return
    for (let index = 0; index < value.length && index < ITEMS_LOOKED_AT; index++) look(looking, node.each, value[index])
    return
  }
  const members = value as Readonly<Record<string, unknown>>
  if (node.keys === undefined) lookUnderIds(looking, node, members)
  else lookAtKeys(looking, node, node.keys, members)
}

function lookUnderIds (looking: Looking, node: Node, members: Readonly<Record<string, unknown>>): void {
  if (node.each === undefined) return
  let index = 0
  for (const id in members) {
    if (index++ >= ITEMS_LOOKED_AT) return
    look(looking, node.each, members[id])
  }
}

function lookAtKeys (looking: Looking, node: Node, keys: ReadonlyMap<string, Key>, members: Readonly<Record<string, unknown>>): void {
  const { report } = looking
  let index = 0
  let found = 0
  // A parsed body has only the plain prototype, so all enumerated keys are its own.
  for (const name in members) {
    const key = node.lastKeys[index] === name ? node.lastKnown[index] : knownOf(node, keys, name, index)
    index++
    if (key === undefined || key === 'not listed') {
      if (!node.partial) report(told(looking, node, name, kindOf(members[name])))
    } else if (!key.plain) {
      const value = members[name]
      if (key.required && (value !== null || key.missing?.null === undefined)) found++
      if (key.listed !== undefined) lookAtText(key.listed, value, report)
      else if (key.below !== undefined) look(looking, key.below, value)
    }
  }
  // Counting the required keys is several times as fast as looking for each of them in each value.
  const suspects = found < node.required ? keys.values() : node.requiredWhere
  for (const key of suspects) reportMissing(key, members, report)
}

function lookAtText (listed: NonNullable<Key['listed']>, value: unknown, report: (difference: Difference) => void): void {
  if (value === listed.last || typeof value !== 'string') return
  if (listed.values.has(value)) listed.last = value
  else report(listed.unlisted)
}

function reportMissing ({ name, missing }: Key, members: Readonly<Record<string, unknown>>, report: (difference: Difference) => void): void {
  if (missing === undefined || (missing.where !== undefined && members[missing.where.key] !== missing.where.value)) return
  if (!Object.hasOwn(members, name)) report(missing.absent)
  else if (members[name] === null && missing.null !== undefined) report(missing.null)
}

/** Looks a key up and remembers it by index. Comparing with the key last found there takes a third of the time of a look-up. */
function knownOf (node: Node, keys: ReadonlyMap<string, Key>, name: string, index: number): Key | 'not listed' {
  const known = keys.get(name) ?? 'not listed'
  if (index < KEYS_REMEMBERED) {
    node.lastKeys[index] = name
    node.lastKnown[index] = known
  }
  return known
}

function told ({ eventType, source, touched }: Looking, node: Node, key: string, seen: string): Difference {
  let byKind = node.told.get(key)
  if (byKind === undefined) {
    const count = node.toldFor.get(source) ?? 0
    if (key.length > MAX_NAME_LENGTH || count >= NAMES_TOLD || node.told.size >= NAMES_REMEMBERED) key = '*'
    else node.toldFor.set(source, count + 1)
    byKind = node.told.get(key) ?? new Map<string, Difference>()
    node.told.set(key, byKind)
    touched.add(node)
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
    const listed = node?.keys?.get(part)
    const free = listed === undefined && (node?.each !== undefined || node === undefined || /^\d+$/.test(part))
    node = listed === undefined ? node?.each : listed.below
    return free ? '*' : part
  })
  return parts.map((part) => `/${part}`).join('')
}

/** Returns the kind of a JSON value. */
export function kindOf (value: unknown): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
