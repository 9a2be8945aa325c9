import { resolve } from 'node:path'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { distance } from 'fastest-levenshtein'
import type { Fault } from '../errors/problem.js'
import { isJsonObject, parseBody, type JsonObject } from '../voucherify/parse-body.js'
import { compileValidator } from '../voucherify/validate.js'
import { builtInSchemas, FileSpecSchema, HttpSpecSchema, LogSpecSchema, ModuleSpecSchema, orderFault, type ForwarderDefaults, type ForwarderSpec } from './forwarder-spec.js'
import { httpFaults } from './http/http-faults.js'
import { substituteVariables, type Variables } from './substitute-variables.js'

export interface ForwardersFileOptions {
  readonly bytes: Uint8Array
  /** Relative paths are resolved against this folder. */
  readonly folder: string
  /** The values of `${NAME}` in texts. */
  readonly variables: Variables
  /** The values of the options that the file leaves out. */
  readonly defaults: ForwarderDefaults
}

/** The forwarders in a file, or all of its faults, each with a JSON pointer into the file. Messages contain no values. */
export type ReadForwarders =
  | { readonly ok: true, readonly specs: readonly ForwarderSpec[] }
  | { readonly ok: false, readonly faults: readonly Fault[] }

/** A package name within this edit distance of a built-in kind is taken for a typing error. */
const SLIP = 2

/** Reads a forwarders file: a JSON array with one object per forwarder. */
export function readForwardersFile ({ bytes, folder, variables, defaults }: ForwardersFileOptions): ReadForwarders {
  const list = parseList(bytes)
  if (!list.ok) return list
  const read = list.items.map((item, index) => withVariables(item, variables, `/${index}`))
  const items = read.map(({ value }) => value)
  const faults = [
    ...items.flatMap((item, index) => [...read[index]?.faults ?? [], ...faultsOfItem(item).map((fault) => ({ ...fault, pointer: `/${index}${fault.pointer}` }))]),
    ...twice(items, 'name', (name) => name, 'is the name of another forwarder; each keeps its progress under its own'),
    ...twice(items, 'path', (path) => resolve(folder, path), 'is the file of another forwarder; each needs its own')
  ]
  if (faults.length > 0) return { ok: false, faults: onePerPlace(faults) }
  return { ok: true, specs: items.map((item) => toSpec(item, defaults)) }
}

/** Returns the forwarders' names only. This works without the variables that the file refers to. */
export function readForwarderNames (bytes: Uint8Array): { readonly ok: true, readonly names: readonly string[] } | { readonly ok: false, readonly faults: readonly Fault[] } {
  const list = parseList(bytes)
  if (!list.ok) return list
  return { ok: true, names: list.items.flatMap((item) => isJsonObject(item) && typeof item['name'] === 'string' ? [item['name']] : []) }
}

function parseList (bytes: Uint8Array): { readonly ok: true, readonly items: readonly unknown[] } | { readonly ok: false, readonly faults: readonly Fault[] } {
  const parsed = parseBody(bytes)
  if (!parsed.ok) return { ok: false, faults: [{ pointer: '', message: parsed.reason.replace(/^The body (.*)\.$/, '$1') }] }
  if (parsed.poisoned) return { ok: false, faults: [{ pointer: '', message: 'has a key called __proto__' }] }
  if (!Array.isArray(parsed.value) || parsed.value.length === 0) return { ok: false, faults: [{ pointer: '', message: 'must be a list of at least one forwarder' }] }
  return { ok: true, items: parsed.value }
}

/** Substitutes variables everywhere but in the name: commands must be able to read names in an environment without the variables. */
function withVariables (item: unknown, variables: Variables, pointer: string): ReturnType<typeof substituteVariables> {
  if (!isJsonObject(item) || !Object.hasOwn(item, 'name')) return substituteVariables(item, variables, pointer)
  const { name, ...rest } = item
  const { value, faults } = substituteVariables(rest, variables, pointer)
  return { value: { ...value as JsonObject, name }, faults }
}

const validators = new Map([...Object.values(builtInSchemas), ModuleSpecSchema].map((schema: TSchema) => [schema, compileValidator(schema)]))

function faultsOfItem (item: unknown): readonly Fault[] {
  if (isJsonObject(item)) {
    const slip = builtInNear(item['type'])
    // The type is misspelled, so the other properties cannot be checked.
    if (slip !== undefined) return [{ pointer: '/type', message: `is not a built-in kind; did you mean ${slip}?` }]
  }
  const schema = schemaOf(item)
  return [
    ...validators.get(schema)?.(item) ?? [],
    ...isJsonObject(item) ? conditionFaults(item['where']) : [],
    ...isJsonObject(item) && schema === ModuleSpecSchema ? concurrencyFaults(item) : [],
    ...isJsonObject(item) && schema === HttpSpecSchema ? httpFaults(item) : []
  ]
}

function builtInNear (type: unknown): string | undefined {
  if (typeof type !== 'string' || !/^\w+$/.test(type) || Object.hasOwn(builtInSchemas, type)) return undefined
  return Object.keys(builtInSchemas).find((kind) => distance(kind, type.toLowerCase()) <= SLIP)
}

function kindOf (item: unknown): ForwarderSpec['kind'] {
  const type = isJsonObject(item) ? item['type'] : undefined
  return typeof type === 'string' && Object.hasOwn(builtInSchemas, type) ? type as keyof typeof builtInSchemas : 'module'
}

function schemaOf (item: unknown): TSchema {
  const kind = kindOf(item)
  return kind === 'module' ? ModuleSpecSchema : builtInSchemas[kind]
}

/** Refuses a condition without an operator. It would always hold, which is never intended. */
function conditionFaults (where: unknown): readonly Fault[] {
  if (!Array.isArray(where)) return []
  return where.flatMap((condition: unknown, index) => isJsonObject(condition) && Object.keys(condition).every((key) => key === 'pointer')
    ? [{ pointer: `/where/${index}`, message: 'must have at least one of equals, in, exists, gte and lte' }]
    : [])
}

/** Names the forwarder in the message, because a JSON pointer is hard to follow in a file of many forwarders. */
function concurrencyFaults (item: JsonObject): readonly Fault[] {
  const fault = orderFault(item)
  return fault === undefined ? [] : [{ pointer: '/concurrency', message: `of the forwarder ${String(item['name'])} ${fault}` }]
}

function twice (items: readonly unknown[], key: string, same: (text: string) => string, message: string): readonly Fault[] {
  const seen = new Set<string>()
  return items.flatMap((item, index) => {
    const text = isJsonObject(item) && (key === 'name' || item['type'] === 'file') ? item[key] : undefined
    if (typeof text !== 'string') return []
    const before = seen.size
    return seen.add(same(text)).size === before ? [{ pointer: `/${index}/${key}`, message }] : []
  })
}

/** Keeps the first fault of each pointer. The first one causes the others. */
function onePerPlace (faults: readonly Fault[]): readonly Fault[] {
  const places = new Set<string>()
  return faults.filter(({ pointer }) => !places.has(pointer) && places.add(pointer))
}

function toSpec (item: unknown, defaults: ForwarderDefaults): ForwarderSpec {
  switch (kindOf(item)) {
    case 'log': return { kind: 'log', spec: { ...defaults.log, ...Value.Decode(LogSpecSchema, item) } }
    case 'file': return { kind: 'file', spec: { ...defaults.file, ...Value.Decode(FileSpecSchema, item) } }
    case 'http': return { kind: 'http', spec: { ...defaults.http, ...Value.Decode(HttpSpecSchema, item) } }
    case 'module': return { kind: 'module', spec: Value.Decode(ModuleSpecSchema, item) }
  }
}
