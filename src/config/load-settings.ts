import { type StaticDecode, type TSchema, Type } from '@sinclair/typebox'
import { TransformDecodeError, Value } from '@sinclair/typebox/value'
import { ConfigurationError, type ConfigurationFault } from './configuration-error.js'
import { findContradictions } from './contradictions.js'
import { decodeTokens } from './decode-token.js'
import { type EnvFile, readEnvFile } from './env-file.js'
import { readSecretFile } from './secret-file.js'
import { FILE_SUFFIX, isSecret, type SettingName, settingNamed, settingNames, type Settings, SettingsSchema } from './settings.js'

export interface SettingsSource {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly envFile?: EnvFile
  /** The directory that relative paths of secret files start from. If absent, the process's working directory. */
  readonly directory?: string
}

const clientSettingNames = ['HOST', 'PORT', 'ADMIN_HOST', 'ADMIN_PORT', 'VOUCHERIFY_WEBHOOK_SECRETS'] as const
const ClientSettingsSchema = Type.Pick(SettingsSchema, clientSettingNames)

/** The settings that a command needs to talk to a service with the same configuration. */
export type ClientSettings = StaticDecode<typeof ClientSettingsSchema>

const storeSettingNames = ['DATA_DIR', 'JOURNAL', 'JOURNAL_SCHEMA', 'FORWARDERS', 'FORWARDERS_FILE', 'DEDUPE_WINDOW_DAYS', 'RETENTION_DAYS', 'RETENTION_QUARANTINE_DAYS', 'RETENTION_MAX_BYTES'] as const
const StoreSettingsSchema = Type.Pick(SettingsSchema, storeSettingNames)

/** The settings that a command needs to work on the store. */
export type StoreSettings = StaticDecode<typeof StoreSettingsSchema>

interface Reading {
  /** The valid texts of variables that are set or have a default. */
  readonly texts: Readonly<Record<string, string>>
  /** The variables that are set. */
  readonly given: ReadonlySet<SettingName>
  readonly faults: readonly ConfigurationFault[]
}

function shown (text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** Reads the named variables. The environment takes precedence over the file, and an empty text counts as not set. */
function read (names: readonly SettingName[], source: SettingsSource, file: ReadonlyMap<string, string>): Reading {
  const texts: Record<string, string> = {}
  const given = new Set<SettingName>()
  const faults: ConfigurationFault[] = []
  for (const name of names) {
    const schema = SettingsSchema.properties[name]
    const found = find(name, source, file)
    if (found.text !== '' || found.fault !== undefined) given.add(name)
    if (found.fault !== undefined) faults.push(found.fault)
    if (found.fault !== undefined || (found.text === '' && schema.default === undefined)) continue
    const reason = whyNot(schema, found.text)
    if (reason === undefined) texts[name] = found.text
    else faults.push({ variable: name, message: `${isSecret(name) ? '(value not shown)' : shown(found.text)}${found.origin} ${reason}` })
  }
  return { texts, given, faults }
}

interface Found {
  /** Empty if the variable is not set. */
  readonly text: string
  /** Where the text was found, as words to append to a message. */
  readonly origin: string
  readonly fault?: ConfigurationFault
}

/** Finds a variable's text in the environment, or else in the environment file. A secret may also be in a file that a second variable names. */
function find (name: SettingName, source: SettingsSource, file: ReadonlyMap<string, string>): Found {
  const places = [
    { values: source.environment, origin: '' },
    { values: Object.fromEntries(file), origin: source.envFile === undefined ? '' : ` in ${source.envFile.path}` }
  ]
  for (const { values, origin } of places) {
    const text = values[name] ?? ''
    const path = isSecret(name) ? values[`${name}${FILE_SUFFIX}`] ?? '' : ''
    if (text !== '' && path !== '') return { text: '', origin, fault: { variable: name, message: `is set${origin}, but so is ${name}${FILE_SUFFIX}, which names a file for it; remove the one or the other` } }
    if (text !== '') return { text, origin }
    if (path === '') continue
    const decoded = readSecretFile(path, source.directory)
    if (decoded.ok) return { text: decoded.value, origin: ` in ${path}` }
    return { text: '', origin, fault: { variable: `${name}${FILE_SUFFIX}`, message: `${shown(path)}${origin} ${decoded.reason}` } }
  }
  return { text: '', origin: '' }
}

/** Returns why a text cannot be decoded; `undefined` if it can. */
function whyNot (schema: TSchema, text: string): string | undefined {
  try {
    Value.Decode(schema, text)
    return undefined
  } catch (error) {
    if (error instanceof TransformDecodeError) return error.message
    throw error
  }
}

/**
 * Reads and checks the whole configuration. The environment takes precedence over the file. Unknown names are faults in the file only, because
 * the environment is shared with other programs. If there is a forwarders file, it may need them, so only names that look like typing errors are
 * faults.
 * @throws ConfigurationError with all faults
 */
export function loadSettings (source: SettingsSource): Settings {
  const file = source.envFile === undefined ? undefined : readEnvFile(source.envFile, { forwardersFile: source.environment['FORWARDERS_FILE'] })
  const { texts, given, faults } = read(settingNames, source, file?.values ?? new Map())
  const unreadable = new Set(faults.map(({ variable }) => settingNamed(variable) ?? variable))
  const readable = Value.Decode(Type.Partial(SettingsSchema), texts)
  const all = [...file?.faults ?? [], ...faults, ...findContradictions(readable, given, unreadable)]
  if (all.length > 0) throw new ConfigurationError(all)
  return Object.freeze(Value.Decode(SettingsSchema, texts))
}

/** Returns all variables by name, tierhook's or not, for files that may refer to them. The environment takes precedence over the file. */
export function loadVariables (source: SettingsSource): Readonly<Record<string, string>> {
  const file = source.envFile === undefined ? [] : readEnvFile(source.envFile).values
  const set = Object.entries(source.environment).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '')
  return Object.fromEntries([...file, ...set])
}

/**
 * Reads only the settings that a client of the service needs. Faults in other settings are left for the service to report.
 * @throws ConfigurationError with all faults in what it reads
 */
export function loadClientSettings (source: SettingsSource): ClientSettings {
  return Value.Decode(ClientSettingsSchema, readOnly(clientSettingNames, source))
}

/**
 * Reads only the settings that a command needs to work on the store. Faults in other settings are left for the service to report.
 * @throws ConfigurationError with all faults in what it reads
 */
export function loadStoreSettings (source: SettingsSource): StoreSettings {
  return Value.Decode(StoreSettingsSchema, readOnly(storeSettingNames, source))
}

/**
 * Returns the token with which this configuration can use the operator's listener: `ADMIN_TOKEN`, or the first of `ADMIN_TOKENS`; `undefined` if
 * there is none.
 * @throws ConfigurationError if a file that holds the token cannot be read
 */
export function loadOwnToken (source: SettingsSource): string | undefined {
  const file = source.envFile === undefined ? new Map<string, string>() : readEnvFile(source.envFile).values
  const [sole, several] = (['ADMIN_TOKEN', 'ADMIN_TOKENS'] as const).map((name) => find(name, source, file))
  const faults = [sole?.fault, several?.fault].filter((fault) => fault !== undefined)
  if (faults.length > 0) throw new ConfigurationError(faults)
  if (sole !== undefined && sole.text !== '') return sole.text.trim()
  const decoded = decodeTokens(several?.text ?? '')
  return decoded.ok ? decoded.value[0]?.token : undefined
}

function readOnly (names: readonly SettingName[], source: SettingsSource): Reading['texts'] {
  const file = source.envFile === undefined ? new Map<string, string>() : readEnvFile(source.envFile).values
  const { texts, faults } = read(names, source, file)
  if (faults.length > 0) throw new ConfigurationError(faults)
  return texts
}
