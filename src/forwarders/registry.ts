import { resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Delivery } from '../delivery/delivery.js'
import type { Forwarder } from '../delivery/forwarder.js'
import { createFilter, filterText } from './delivery-filter.js'
import { findFileConflicts, type ForwarderFile, type ReservedFile } from './file/file-conflicts.js'
import { createFileForwarder } from './file/file-forwarder.js'
import { realPath } from './file/real-path.js'
import { createWriteLock, type LockFile } from './file/write-lock.js'
import type { ForwarderSpec } from './forwarder-spec.js'
import { loadForwarder } from './load-module.js'
import type { LookUp } from './http/names/look-up.js'
import { createSystemLookUp } from './http/names/system-look-up.js'
import { createLogForwarder, type LineOutput } from './log-forwarder.js'

export interface RegistryOptions {
  readonly logger: Logger
  /** The output for the lines of log forwarders. */
  readonly output: LineOutput
  /** Paths of the values that log forwarders hide. */
  readonly redact?: readonly string[] | undefined
  /** Relative paths of files and modules are resolved against this folder. */
  readonly folder: string
  readonly version: string
  /** The variables that may name the http forwarder's proxy. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Files that no file forwarder may write to. */
  readonly reservedFiles?: readonly ReservedFile[]
  /** Prevents other processes from writing to the files of file forwarders. */
  readonly lockFile?: LockFile
  /** The longest wait that a destination may ask for, in milliseconds. */
  readonly retryAfterMaxMs: number
  readonly now: () => number
  readonly monotonic: () => number
}

/** A forwarder with the configuration it was made from. */
export interface ConfiguredForwarder {
  readonly configured: ForwarderSpec
  readonly forwarder: Forwarder
  readonly start: 'now' | 'beginning'
  readonly accepts: (delivery: Delivery) => boolean
  /** The text of the filter behind `accepts`; `undefined` if the forwarder accepts every delivery. */
  readonly filter: string | undefined
}

/** Why a forwarder cannot be created. */
export interface ForwarderFault {
  readonly forwarder: string
  readonly message: string
}

export type CreatedForwarders =
  | { readonly ok: true, readonly forwarders: readonly ConfiguredForwarder[] }
  | { readonly ok: false, readonly faults: readonly ForwarderFault[] }

/** How often an event file is checked while no event arrives, in milliseconds. */
const HOUSEKEEPING_MS = 15_000

/** Creates the configured forwarders, without opening anything. If one of them fails, all others are closed again. */
export async function createForwarders (specs: readonly ForwarderSpec[], options: RegistryOptions): Promise<CreatedForwarders> {
  const forwarders: ConfiguredForwarder[] = []
  const faults: ForwarderFault[] = [...await findFileConflicts(filesOf(specs, options.folder), options.reservedFiles ?? [])]
  // All forwarders share one, because the process runs only a few of the C library's look-ups at once.
  const lookUp = createSystemLookUp()
  for (const configured of specs) {
    const { spec } = configured
    try {
      forwarders.push({ configured, forwarder: await createForwarder(configured, { ...options, lookUp }), start: spec.start ?? 'now', accepts: createFilter(spec), filter: filterText(spec) })
    } catch (error) {
      faults.push({ forwarder: spec.name, message: error instanceof Error ? error.message : String(error) })
    }
  }
  if (faults.length === 0) return { ok: true, forwarders }
  await Promise.all(forwarders.map(async ({ forwarder }) => { await forwarder.close?.() }))
  return { ok: false, faults }
}

function filesOf (specs: readonly ForwarderSpec[], folder: string): readonly ForwarderFile[] {
  return specs.flatMap(({ kind, spec }) => kind === 'file' ? [{ forwarder: spec.name, path: resolve(folder, spec.path) }] : [])
}

async function createForwarder ({ kind, spec }: ForwarderSpec, options: RegistryOptions & { readonly lookUp: LookUp }): Promise<Forwarder> {
  switch (kind) {
    case 'log':
      return createLogForwarder({ name: spec.name, output: options.output, withData: spec.withData, redact: options.redact })
    case 'file': {
      // Resolve links only once. If a link changed later, the file would be separated from the files beside it.
      const path = await realPath(resolve(options.folder, spec.path))
      return createFileForwarder({
        ...spec,
        path,
        ...(options.lockFile === undefined ? {} : { lock: createWriteLock({ path, lockFile: options.lockFile, logger: options.logger }) }),
        housekeepingMs: HOUSEKEEPING_MS,
        now: options.now,
        monotonic: options.monotonic,
        logger: options.logger
      })
    }
    case 'http': {
      // Load the HTTP client only if needed: it makes up a fifth of all code to load, and most services have no HTTP destination.
      const { createHttpForwarder } = await import('./http/http-forwarder.js')
      return createHttpForwarder({
        ...spec,
        headers: Object.entries(spec.headers).map(([name, value]) => ({ name: name.toLowerCase(), value })),
        retryAfterMaxMs: options.retryAfterMaxMs,
        version: options.version,
        environment: options.environment,
        lookUp: options.lookUp,
        now: options.now
      })
    }
    case 'module':
      return await loadForwarder(spec, options)
  }
}
