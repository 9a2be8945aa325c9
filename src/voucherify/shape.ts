import type { TSchema } from '@sinclair/typebox'
import type { Difference } from './drift.js'
import { nodeOf, type Key, type Node } from './shape-node.js'

/** What a schema lists and what the documents say of it, prepared for finding what differs. */
export interface Shape {
  /** Tells unknown keys, keys that are missing, and values that the documents do not list. */
  readonly reportDrift: (value: unknown, source: string, report: (difference: Difference) => void) => void
  /** Forgets which keys it has told, and whose they were. */
  readonly forget: () => void
  /** A pointer into a value of the schema, with `*` for what differs from value to value. */
  readonly normalise: (pointer: string) => string
}

/** Unlisted keys of one object that are told by name for each source; more are likely ids, and told as `*`. */
const NAMES_TOLD = 20
/** The same for all sources together. */
const NAMES_REMEMBERED = 100
const LONGEST_NAME = 64
/** Keys of one object whose order is remembered. */
const KEYS_REMEMBERED = 64
/** Items of an array, or members under ids, that are looked at. */
const ITEMS_LOOKED_AT = 20

/** Metadata, and other objects of which a schema lists nothing, are passed over. */
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

/** One event that is looked at. */
interface Looking {
  readonly eventType: string
  readonly source: string
  readonly report: (difference: Difference) => void
  /** Where something was told. */
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
  // A parsed body has no prototype but the plain one, so what is enumerated is its own.
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
  // To look for each required key in each value takes several times as long as to count them.
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

/** To compare a key with the one that stood there last takes a third of the time of looking it up. */
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
    if (key.length > LONGEST_NAME || count >= NAMES_TOLD || node.told.size >= NAMES_REMEMBERED) key = '*'
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

/** What kind of JSON value it is. */
export function kindOf (value: unknown): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
