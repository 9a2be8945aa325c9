import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigurationError } from '../config/configuration-error.js'
import { defaultValues, fileOptions, httpOptions, optionValues, withData } from '../config/forwarder-options.js'
import type { Settings } from '../config/settings.js'
import type { Fault } from '../errors/problem.js'
import type { ForwarderDefaults, ForwarderSpec } from '../forwarders/forwarder-spec.js'
import { readForwarderNames, readForwardersFile } from '../forwarders/forwarders-file.js'
import { isReservedHeader } from '../forwarders/http/own-headers.js'
import type { ConfiguredForwarder, RegistryOptions } from '../forwarders/registry.js'
import type { Variables } from '../forwarders/substitute-variables.js'

/** The configuration of all forwarders. */
export interface ForwarderSpecs {
  readonly specs: readonly ForwarderSpec[]
  /** The folder that relative paths start from. */
  readonly folder: string
}

/**
 * Reads the configuration of the forwarders, from the forwarders file if the settings name one, or else from the settings.
 * @throws {ConfigurationError} with all faults
 */
export function readForwarderSpecs (settings: Settings, variables: Variables): ForwarderSpecs {
  if (settings.FORWARDERS_FILE === undefined) return { specs: specsOfSettings(settings), folder: resolve('.') }
  const path = resolve(settings.FORWARDERS_FILE)
  const folder = dirname(path)
  const read = readForwardersFile({ bytes: readBytes(path), folder, variables, defaults })
  if (!read.ok) throw wrongFile(path, read.faults)
  return { specs: read.specs, folder }
}

/**
 * Returns the names of the configured forwarders, for commands that need nothing else of them.
 * @throws {ConfigurationError}
 */
export function forwarderNames ({ FORWARDERS, FORWARDERS_FILE }: Pick<Settings, 'FORWARDERS' | 'FORWARDERS_FILE'>): readonly string[] {
  if (FORWARDERS_FILE === undefined) return FORWARDERS
  const path = resolve(FORWARDERS_FILE)
  const read = readForwarderNames(readBytes(path))
  if (!read.ok) throw wrongFile(path, read.faults)
  return read.names
}

/**
 * Makes the configured forwarders, but opens nothing.
 * @throws {ConfigurationError} with all faults
 */
export async function openForwarders ({ specs, folder }: ForwarderSpecs, options: Omit<RegistryOptions, 'folder'>): Promise<readonly ConfiguredForwarder[]> {
  // Loaded only here, where forwarders are made. The accept thread only reads their configuration.
  const { createForwarders } = await import('../forwarders/registry.js')
  const created = await createForwarders(specs, { ...options, folder })
  if (created.ok) return created.forwarders
  throw new ConfigurationError(created.faults.map(({ forwarder, message }) => ({ variable: `forwarder ${forwarder}`, message })))
}

/** Defaults for options that the forwarders file leaves out. */
const defaults: ForwarderDefaults = { log: defaultValues({ withData }), file: defaultValues(fileOptions), http: defaultValues(httpOptions) }

function specsOfSettings (settings: Settings): readonly ForwarderSpec[] {
  if (settings.FORWARDERS.includes('http')) refuseReservedHeaders(settings)
  return settings.FORWARDERS.map((kind) => specOfSettings(kind, settings))
}

/** A forwarder that is configured by settings has its kind as its name. */
function specOfSettings (kind: Settings['FORWARDERS'][number], settings: Settings): ForwarderSpec {
  switch (kind) {
    case 'log': return { kind, spec: { name: kind, type: kind, withData: settings.LOG_FORWARDER_DATA } }
    case 'file': return { kind, spec: { name: kind, type: kind, path: settings.FILE_FORWARDER_PATH ?? resolve(settings.DATA_DIR, 'events.ndjson'), ...optionValues('FILE', fileOptions, settings) } }
    // Loading the settings has checked that a configured http forwarder has a URL.
    case 'http': return { kind, spec: { name: kind, type: kind, url: settings.HTTP_FORWARDER_URL ?? '', ...optionValues('HTTP', httpOptions, settings) } }
  }
}

function refuseReservedHeaders ({ HTTP_FORWARDER_HEADERS: headers }: Settings): void {
  const reserved = Object.keys(headers).filter(isReservedHeader)
  if (reserved.length === 0) return
  throw new ConfigurationError(reserved.map((name) => ({
    variable: 'HTTP_FORWARDER_HEADERS', message: `names ${name}, which the http forwarder sends itself or which is the connection's; take it out`
  })))
}

function readBytes (path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new ConfigurationError([{ variable: 'FORWARDERS_FILE', message: `${path} cannot be read${code}; check its path and its permissions` }])
  }
}

function wrongFile (path: string, faults: readonly Fault[]): ConfigurationError {
  return new ConfigurationError(faults.map(({ pointer, message }) => ({ variable: pointer === '' ? path : `${path} ${pointer}`, message })))
}
