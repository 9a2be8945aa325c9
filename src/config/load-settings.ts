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
  /** The directory that relative paths of secrets' files are in; the process's own where absent. */
  readonly directory?: string
}

const clientSettingNames = ['HOST', 'PORT', 'ADMIN_HOST', 'ADMIN_PORT', 'VOUCHERIFY_WEBHOOK_SECRETS'] as const
const ClientSettingsSchema = Type.Pick(SettingsSchema, clientSettingNames)

/** What a command needs in order to talk to a service with the same configuration. */
export type ClientSettings = StaticDecode<typeof ClientSettingsSchema>

const storeSettingNames = ['DATA_DIR', 'JOURNAL', 'JOURNAL_SCHEMA', 'FORWARDERS', 'FORWARDERS_FILE', 'DEDUPE_WINDOW_DAYS', 'RETENTION_DAYS', 'RETENTION_QUARANTINE_DAYS', 'RETENTION_MAX_BYTES'] as const
const StoreSettingsSchema = Type.Pick(SettingsSchema, storeSettingNames)

/** What a command needs that works on the data folder. */
export type StoreSettings = StaticDecode<typeof StoreSettingsSchema>

interface Reading {
  /** What can be decoded, of what is set or has a default. */
  readonly texts: Readonly<Record<string, string>>
  /** The variables that are set. */
  readonly given: ReadonlySet<SettingName>
  readonly faults: readonly ConfigurationFault[]
}

function shown (text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** Reads the named variables; the environment wins over the file, and an empty text counts as not set. */
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
  /** Empty where nothing is set. */
  readonly text: string
  /** Where it was found, as a message goes on. */
  readonly origin: string
  readonly fault?: ConfigurationFault
}

/** Finds a variable's text: in the environment, or else in the file; a secret's in the file that a second variable names, too. */
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

/** Why a text cannot be decoded; `undefined` if it can. */
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
 * Reads and checks the whole configuration. The environment wins over the file; names that tierhook does not know are a
 * fault in the file only, since the environment is shared with others, and only as long as no file of forwarders may need them.
 * @throws ConfigurationError with every fault at once.
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
  return Value.Decode(ClientSettingsSchema, readOnly(clientSettingNames, source))
}

/**
 * Reads only what a command needs that works on the data folder; a fault in anything else is left for the service to report.
 * @throws ConfigurationError with every fault in what it reads.
 */
export function loadStoreSettings (source: SettingsSource): StoreSettings {
  return Value.Decode(StoreSettingsSchema, readOnly(storeSettingNames, source))
}

/**
 * The token that this configuration opens the operator's listener with: `ADMIN_TOKEN`, or the first of `ADMIN_TOKENS`; `undefined` where it has none.
 * @throws ConfigurationError where what holds it cannot be read
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
