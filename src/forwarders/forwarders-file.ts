import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Fault } from '../errors.js'
import { isJsonObject } from '../voucherify/parse-body.js'
import { compileValidator } from '../voucherify/validate.js'
import { builtInSchemas, FileSpecSchema, HttpSpecSchema, LogSpecSchema, ModuleSpecSchema, type ForwarderSpec } from './forwarder-spec.js'
import { isReservedHeader } from './http/own-headers.js'
import { signingKey } from './http/standard-signature.js'
import { substituteVariables } from './substitute-variables.js'

/** What is wrong with the file of forwarders: each fault with its JSON pointer into the file. No value is told. */
export class ForwardersFileError extends Error {
  override readonly name = 'ForwardersFileError'
  readonly code = 'FORWARDERS_FILE_INVALID'
  readonly faults: readonly Fault[]

  constructor (path: string, faults: readonly Fault[]) {
    super(`The forwarders file ${path} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map(({ pointer, message }) => `  ${pointer === '' ? 'the file' : pointer}: ${message}`).join('\n')}`)
    this.faults = faults
  }
}

export interface ForwardersFileOptions {
  readonly path: string
  readonly text: string
  /** Where `${VARIABLE}` in a text is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads a file of forwarders: a JSON array, one object each.
 * @throws {ForwardersFileError} with every fault at once
 */
export function readForwardersFile ({ path, text, environment }: ForwardersFileOptions): readonly ForwarderSpec[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // Its message would quote the text, which may hold secrets.
    throw new ForwardersFileError(path, [{ pointer: '', message: 'is not JSON' }])
  }
  if (!Array.isArray(json) || json.length === 0) throw new ForwardersFileError(path, [{ pointer: '', message: 'must be a list of forwarders, one at least' }])
  const { value, faults } = substituteVariables(json, environment)
  const items: readonly unknown[] = Array.isArray(value) ? value : []
  const all = [...faults, ...items.flatMap((item, index) => faultsOfItem(item).map((fault) => ({ ...fault, pointer: `/${index}${fault.pointer}` }))), ...sameNames(items)]
  if (all.length > 0) throw new ForwardersFileError(path, all)
  return items.map(toSpec)
}

const validators = new Map<TSchema, ReturnType<typeof compileValidator>>()

function faultsOfItem (item: unknown): readonly Fault[] {
  const schema = schemaOf(item)
  const validate = validators.get(schema) ?? compileValidator(schema)
  validators.set(schema, validate)
  const faults = validate(item)
  return faults.length > 0 || schema !== HttpSpecSchema ? faults : faultsOfHttp(Value.Decode(HttpSpecSchema, item))
}

function schemaOf (item: unknown): TSchema {
  const type = isJsonObject(item) ? item['type'] : undefined
  return typeof type === 'string' && Object.hasOwn(builtInSchemas, type) ? builtInSchemas[type as keyof typeof builtInSchemas] : ModuleSpecSchema
}

/** What a schema can't say. */
function faultsOfHttp ({ url, headers = {}, secrets = [] }: { readonly url: string, readonly headers?: Readonly<Record<string, unknown>>, readonly secrets?: readonly string[] }): readonly Fault[] {
  const faults: Fault[] = []
  if (!URL.canParse(url)) faults.push({ pointer: '/url', message: 'must be an http:// or https:// URL' })
  for (const name of Object.keys(headers)) {
    const pointer = `/headers/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (isReservedHeader(name)) faults.push({ pointer, message: 'is sent by the http forwarder itself, or belongs to the connection; take it out' })
    else if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) faults.push({ pointer, message: 'is not the name of a header' })
  }
  secrets.forEach((secret, index) => {
    try {
      signingKey(secret)
    } catch (error) {
      faults.push({ pointer: `/secrets/${index}`, message: error instanceof Error ? error.message : 'is no secret' })
    }
  })
  return faults
}

function sameNames (items: readonly unknown[]): readonly Fault[] {
  const seen = new Set<unknown>()
  return items.flatMap((item, index) => {
    const name = isJsonObject(item) ? item['name'] : undefined
    if (typeof name !== 'string') return []
    if (seen.has(name)) return [{ pointer: `/${index}/name`, message: 'is the name of another forwarder; each keeps its progress under its own' }]
    seen.add(name)
    return []
  })
}

function toSpec (item: unknown): ForwarderSpec {
  switch (schemaOf(item)) {
    case LogSpecSchema: return { kind: 'log', spec: Value.Decode(LogSpecSchema, item) }
    case FileSpecSchema: return { kind: 'file', spec: Value.Decode(FileSpecSchema, item) }
    case HttpSpecSchema: return { kind: 'http', spec: Value.Decode(HttpSpecSchema, item) }
    default: return { kind: 'module', spec: Value.Decode(ModuleSpecSchema, item) }
  }
}
