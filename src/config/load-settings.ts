import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ConfigurationError } from './configuration-error.js'
import type { ConfigurationFault } from './configuration-error.js'
import { findContradictions } from './contradictions.js'
import { decodeSetting } from './decode-setting.js'
import { readEnvFile } from './env-file.js'
import type { EnvFile } from './env-file.js'
import { settingNames, SettingsSchema } from './settings.js'
import type { SettingName, Settings } from './settings.js'

export interface SettingsSource {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly envFile?: EnvFile
}

const ClientSettingsSchema = Type.Pick(SettingsSchema, ['HOST', 'PORT', 'VOUCHERIFY_WEBHOOK_SECRETS'])

/** What a command needs in order to talk to a service with the same configuration. */
export type ClientSettings = Static<typeof ClientSettingsSchema>

const StoreSettingsSchema = Type.Pick(SettingsSchema, ['DATA_DIR', 'FORWARDERS', 'FORWARDERS_FILE', 'DEDUPE_WINDOW_DAYS', 'RETENTION_DAYS', 'RETENTION_QUARANTINE_DAYS', 'RETENTION_MAX_BYTES'])

/** What a command needs that works on the data folder. */
export type StoreSettings = Static<typeof StoreSettingsSchema>

interface Reading {
  readonly values: Readonly<Record<string, unknown>>
  /** The variables that are set. */
  readonly given: ReadonlySet<SettingName>
  readonly faults: readonly ConfigurationFault[]
}

function shown (text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** Reads the named variables; the environment wins over the file, and an empty text counts as not set. */
function read (names: readonly SettingName[], source: SettingsSource, file: ReadonlyMap<string, string>): Reading {
  const values: Record<string, unknown> = {}
  const given = new Set<SettingName>()
  const faults: ConfigurationFault[] = []
  for (const name of names) {
    const schema = SettingsSchema.properties[name]
    const inEnvironment = source.environment[name] ?? ''
    const text = inEnvironment === '' ? file.get(name) ?? '' : inEnvironment
    if (text === '') {
      if (schema.default !== undefined) values[name] = structuredClone(schema.default)
      continue
    }
    given.add(name)
    const decoded = decodeSetting(schema, text)
    if (decoded.ok) {
      values[name] = decoded.value
      continue
    }
    const value = schema['secret'] === true ? '(value not shown)' : shown(text)
    const origin = inEnvironment === '' && source.envFile !== undefined ? ` in ${source.envFile.path}` : ''
    faults.push({ variable: name, message: `${value}${origin} ${decoded.reason}` })
  }
  return { values, given, faults }
}

/**
 * Reads and checks the whole configuration. The environment wins over the file; names that tierhook does not know are a
 * fault in the file only, since the environment is shared with others, and only as long as no file of forwarders may need them.
 * @throws ConfigurationError with every fault at once.
 */
export function loadSettings (source: SettingsSource): Settings {
  const file = source.envFile === undefined ? undefined : readEnvFile(source.envFile, { forwardersFile: source.environment['FORWARDERS_FILE'] })
  const { values, given, faults } = read(settingNames, source, file?.values ?? new Map())
  const unreadable = new Set(faults.map(fault => fault.variable))
  const readable = Value.Check(Type.Partial(SettingsSchema), values) ? values : {}
  const all = [...file?.faults ?? [], ...faults, ...findContradictions(readable, given, unreadable)]
  if (all.length > 0) throw new ConfigurationError(all)
  Value.Assert(SettingsSchema, values)
  return Object.freeze(values)
}

/** Every variable by name, ours or not, for what may refer to them. The environment wins over the file. */
export function loadVariables (source: SettingsSource): Readonly<Record<string, string>> {
  const file = source.envFile === undefined ? [] : readEnvFile(source.envFile).values
  const set = Object.entries(source.environment).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '')
  return Object.fromEntries([...file, ...set])
}

/**
 * Reads only what a client of the service needs; a fault in anything else is left for the service to report.
 * @throws ConfigurationError with every fault in what it reads.
 */
export function loadClientSettings (source: SettingsSource): ClientSettings {
  const values = readOnly(['HOST', 'PORT', 'VOUCHERIFY_WEBHOOK_SECRETS'], source)
  Value.Assert(ClientSettingsSchema, values)
  return values
}

/**
 * Reads only what a command needs that works on the data folder; a fault in anything else is left for the service to report.
 * @throws ConfigurationError with every fault in what it reads.
 */
export function loadStoreSettings (source: SettingsSource): StoreSettings {
  const values = readOnly(['DATA_DIR', 'FORWARDERS', 'FORWARDERS_FILE', 'DEDUPE_WINDOW_DAYS', 'RETENTION_DAYS', 'RETENTION_QUARANTINE_DAYS', 'RETENTION_MAX_BYTES'], source)
  Value.Assert(StoreSettingsSchema, values)
  return values
}

function readOnly (names: readonly SettingName[], source: SettingsSource): Reading['values'] {
  const file = source.envFile === undefined ? new Map<string, string>() : readEnvFile(source.envFile).values
  const { values, faults } = read(names, source, file)
  if (faults.length > 0) throw new ConfigurationError(faults)
  return values
}
