import { isAbsolute, resolve } from 'node:path'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { Logger } from 'pino'
import type { Forwarder } from '../delivery/forwarder.js'
import type { ModuleSpec } from './forwarder-spec.js'

/** What a module gets beside its options. */
export interface ForwarderContext {
  /** The name under which its progress is kept and its lines are logged. */
  readonly name: string
  /** Its lines carry the name. */
  readonly logger: Logger
}

/** What a forwarder's module exports. What it leaves out of a forwarder is as for the built-in ones. */
export type CreateForwarder<Options = Readonly<Record<string, unknown>>> =
  (options: Options, context: ForwarderContext) => OwnForwarder | Promise<OwnForwarder>

export type OwnForwarder = Pick<Forwarder, 'forward'> & Partial<Omit<Forwarder, 'name' | 'forward'>>

/** A module that is not there, or is no forwarder's. */
export class ForwarderModuleError extends Error {
  override readonly name = 'ForwarderModuleError'
  readonly code = 'FORWARDER_MODULE_WRONG'
}

const TIMEOUT_MS = 15_000

/**
 * Loads a forwarder of somebody's own and completes it.
 * @param folder where a relative path, or the search for a package, begins
 * @throws {ForwarderModuleError}
 */
export async function loadForwarder (spec: ModuleSpec, folder: string, logger: Logger): Promise<Forwarder> {
  const module = await importModule(spec, folder)
  const create: unknown = module['createForwarder']
  if (typeof create !== 'function') throw new ForwarderModuleError(`The module ${spec.type} of the forwarder ${spec.name} must export a function createForwarder(options, context)`)
  const made: unknown = await (create as CreateForwarder)(spec.options ?? {}, { name: spec.name, logger: logger.child({ forwarder: spec.name }) })
  if (!isOwnForwarder(made)) throw new ForwarderModuleError(`What createForwarder of the module ${spec.type} returns for the forwarder ${spec.name} must have a function forward`)
  return {
    name: spec.name,
    order: spec.order ?? made.order ?? 'none',
    concurrency: spec.concurrency ?? made.concurrency ?? 1,
    batchSize: made.batchSize ?? 1,
    timeoutMs: spec.timeoutMs ?? made.timeoutMs ?? TIMEOUT_MS,
    recordsSuccess: made.recordsSuccess ?? true,
    ...(made.giveUpMs === undefined ? {} : { giveUpMs: made.giveUpMs }),
    // Called on what was returned, which may be an object of a class.
    forward: async (attempts, context) => await made.forward(attempts, context),
    ...(made.start === undefined ? {} : { start: async (position) => await made.start?.(position) }),
    ...(made.check === undefined ? {} : { check: async (signal) => await made.check?.(signal) }),
    ...(made.close === undefined ? {} : { close: async () => await made.close?.() })
  }
}

async function importModule ({ name, type }: ModuleSpec, folder: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    if (type.startsWith('.') || isAbsolute(type)) return await import(pathToFileURL(resolve(folder, type)).href)
    return await import(resolvePackage(type, folder))
  } catch (error) {
    throw new ForwarderModuleError(`The module ${type} of the forwarder ${name} cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`, { cause: error })
  }
}

/** A package beside the file is preferred to one beside this program. Where only `import` may load it, node finds the latter. */
function resolvePackage (name: string, folder: string): string {
  try {
    return pathToFileURL(createRequire(resolve(folder, 'package.json')).resolve(name)).href
  } catch {
    // Not there, or without an entry for require.
    return name
  }
}

function isOwnForwarder (value: unknown): value is OwnForwarder {
  return typeof value === 'object' && value !== null && 'forward' in value && typeof value.forward === 'function'
}
