import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { resolve as resolvePackage } from 'import-meta-resolve'
import type { Logger } from 'pino'
import type { Forwarder } from '../delivery/forwarder.js'
import { inTime } from '../delivery/within.js'
import { completeForwarder, faultOf } from './complete-forwarder.js'
import type { ModuleSpec } from './forwarder-spec.js'
import type { CreateForwarder } from './custom-forwarder.js'

export interface LoadOptions {
  /** Where a relative path, or the search for a package, begins. */
  readonly folder: string
  readonly logger: Logger
  /** How long loading, and then creating, may take, in milliseconds each. */
  readonly limitMs?: number
}

/** A forwarder's module cannot be loaded, or does not return a forwarder. */
export class ForwarderModuleError extends Error {
  override readonly name = 'ForwarderModuleError'
  readonly code = 'FORWARDER_MODULE_WRONG'
}

const LIMIT_MS = 15_000

/**
 * Loads a custom forwarder and completes it.
 * @throws {ForwarderModuleError}
 */
export async function loadForwarder (spec: ModuleSpec, { folder, logger, limitMs = LIMIT_MS }: LoadOptions): Promise<Forwarder> {
  const own = logger.child({ forwarder: spec.name })
  const module = await orFault(async () => await importModule(spec.type, folder), limitMs, `The module ${spec.type} cannot be loaded`)
  const create = exported(module) ?? exported(module['default'])
  if (typeof create !== 'function') throw new ForwarderModuleError(`The module ${spec.type} must export a function createForwarder(options, context)`)
  const made = await orFault(async (): Promise<unknown> => {
    return await (create as CreateForwarder)(spec.options ?? {}, { name: spec.name, folder, logger: own })
  }, limitMs, `createForwarder of ${spec.type} failed`)
  const fault = faultOf(made, spec)
  if (fault !== undefined) throw new ForwarderModuleError(`createForwarder of ${spec.type} returned something that is not a forwarder: ${fault}`)
  return completeForwarder(made, { spec, logger: own })
}

/**
 * Returns the `createForwarder` of a module or of its `default`; `undefined` if there is none. Node.js lists only those exports of a CommonJS
 * module that it finds without running the module. All of them are in `default`.
 */
function exported (module: unknown): unknown {
  return typeof module === 'object' && module !== null && 'createForwarder' in module ? module.createForwarder : undefined
}

/** @throws {ForwarderModuleError} if `work` rejects or takes too long */
async function orFault<T> (work: () => Promise<T>, limitMs: number, what: string): Promise<T> {
  try {
    return await inTime(limitMs, work(), () => new Error(`it took longer than ${limitMs} ms`))
  } catch (error) {
    throw new ForwarderModuleError(`${what}: ${firstLine(error)}`, { cause: error })
  }
}

function firstLine (error: unknown): string {
  return (error instanceof Error ? error.message || error.name : String(error)).split('\n', 1).join()
}

/** How many imports of a URL have failed. Node.js keeps a failed import and rejects the next import of the same URL without reading the file. */
const failures = new Map<string, number>()

async function importModule (type: string, folder: string): Promise<Readonly<Record<string, unknown>>> {
  const url = type.startsWith('.') || isAbsolute(type) ? pathToFileURL(resolve(folder, type)).href : packageUrl(type, folder)
  const failed = failures.get(url) ?? 0
  try {
    return await import(failed === 0 ? url : `${url}?${failed}`)
  } catch (error) {
    failures.set(url, failed + 1)
    throw error
  }
}

/** Finds a package, first from the folder of the file that names it, then from this program's folder. */
function packageUrl (name: string, folder: string): string {
  try {
    return resolvePackage(name, pathToFileURL(resolve(folder, 'forwarders.json')).href)
  } catch (error) {
    try {
      return resolvePackage(name, import.meta.url)
    } catch {
      // Neither place has the package. Report the error of the first, where an operator would look.
      throw error
    }
  }
}
