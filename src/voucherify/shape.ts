import type { TSchema } from '@sinclair/typebox'
import type { Difference } from './drift.js'
import { nodeOf, type Key, type Node } from './shape-node.js'

/** What a schema lists and what the documents say of it, prepared for finding what differs. */
export interface Shape {
  /** Tells unknown keys, keys that are missing, and values that the documents do not list. */
  readonly reportDrift: (value: unknown, report: (difference: Difference) => void) => void
  /** A pointer into a value of the schema, with `*` for what differs from value to value. */
  readonly normalise: (pointer: string) => string
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
  const root = nodeOf(eventType, schema, '')
  return {
    reportDrift (value, report) { if (root !== undefined) look(eventType, root, value, report) },
    normalise: (pointer) => normalised(root, pointer)
  }
}

function look (eventType: string, node: Node, value: unknown, report: (difference: Difference) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (node.each === undefined) return
    for (let index = 0; index < value.length && index < ITEMS_LOOKED_AT; index++) look(eventType, node.each, value[index], report)
    return
  }
  const members = value as Readonly<Record<string, unknown>>
  if (node.keys === undefined) lookUnderIds(eventType, node, members, report)
  else lookAtKeys(eventType, node, node.keys, members, report)
}

function lookUnderIds (eventType: string, node: Node, members: Readonly<Record<string, unknown>>, report: (difference: Difference) => void): void {
  if (node.each === undefined) return
  let index = 0
  for (const id in members) {
    if (index++ >= ITEMS_LOOKED_AT) return
    look(eventType, node.each, members[id], report)
  }
}

function lookAtKeys (eventType: string, node: Node, keys: ReadonlyMap<string, Key>, members: Readonly<Record<string, unknown>>, report: (difference: Difference) => void): void {
  let index = 0
  let found = 0
  // A parsed body has no prototype but the plain one, so what is enumerated is its own.
  for (const name in members) {
    const key = node.lastKeys[index] === name ? node.lastKnown[index] : knownOf(node, keys, name, index)
    index++
    if (key === undefined || key === 'not listed') {
      if (!node.partial) report(told(eventType, node, name, kindOf(members[name])))
    } else if (!key.plain) {
      const value = members[name]
      if (key.required && (value !== null || key.missing?.null === undefined)) found++
      if (key.listed !== undefined) lookAtText(key.listed, value, report)
      else if (key.below !== undefined) look(eventType, key.below, value, report)
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
