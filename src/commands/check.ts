import { resolve } from 'node:path'
import type { InspectedForwarder } from '../composition/inspect-forwarders.js'
import { createLogger } from '../composition/logger.js'
import type { AskedOnce } from '../composition/open-watchdog.js'
import { ConfigurationError, type ConfigurationFault } from '../config/configuration-error.js'
import { loadSettings, loadVariables } from '../config/load-settings.js'
import type { Settings } from '../config/settings.js'
import { jsonLine, plural, printable } from '../terminal/printable.js'
import { checkSender, isSenderWell, senderText } from './check-sender.js'
import { exitCodes } from './command-line.js'
import type { CommandContext } from './context.js'
import { settingsSource } from './read-env-file.js'
import { startWarnings } from './start-warnings.js'
import { type Connection, tryConnections, tryOne } from './try-connections.js'

export interface CheckOptions {
  readonly connect?: boolean | undefined
  readonly voucherify?: boolean | undefined
  readonly timeoutMs: number
  readonly json?: boolean | undefined
  readonly envFile?: string | undefined
}

/**
 * Shows the configuration that would run, without secrets. `connect` tries the destinations, and `voucherify` asks Voucherify about the webhook.
 * Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function check (context: CommandContext, options: CheckOptions): Promise<number> {
  try {
    return await inspect(context, options)
  } catch (error) {
    if (!(error instanceof ConfigurationError) || options.json !== true) throw error
    context.stdout.write(jsonLine({ faults: error.faults }))
    return exitCodes.usage
  }
}

async function inspect (context: CommandContext, options: CheckOptions): Promise<number> {
  const source = await settingsSource(context, options)
  const { envFile } = source
  const settings = inDirectory(loadSettings(source), context.directory)
  const warnings = startWarnings(context, settings, envFile)
  // Forwarders must not log into the output of this command.
  const logger = createLogger('silent', { write: () => {}, flushed: async () => {} })
  const forwarders = await context.inspectForwarders({
    settings, logger, variables: loadVariables(source), ...envFile === undefined ? {} : { envFile: resolve(context.directory, envFile.path) }
  })
  const sender = options.voucherify === true ? await checkSender(context, settings, options.timeoutMs) : undefined
  const connections = options.connect === true ? await tryConnections(forwarders, options.timeoutMs) : undefined
  const journal = await inspectJournal(context, settings, options)
  if (options.json === true) context.stdout.write(jsonLine(toJson({ settings, journal, forwarders, connections, sender, warnings })))
  else show(context, { settings, journal, forwarders, connections, sender, warnings })
  const failed = [...connections ?? [], ...journal?.connection === undefined ? [] : [journal.connection]].some(({ status }) => status === 'failed')
  return failed || (sender !== undefined && !isSenderWell(sender)) ? exitCodes.failure : exitCodes.ok
}

/** The PostgreSQL journal, without its credentials. */
interface InspectedJournal {
  readonly database: string
  readonly schema: string
  readonly connection?: Connection
}

async function inspectJournal ({ checkDatabase }: CommandContext, { JOURNAL: url, JOURNAL_SCHEMA: schema }: Settings, { connect, timeoutMs }: CheckOptions): Promise<InspectedJournal | undefined> {
  if (url === undefined) return undefined
  const { host, pathname, searchParams } = new URL(url)
  const journal = { database: `${host === '' ? searchParams.get('host') ?? '' : host}${pathname}`, schema }
  return connect === true ? { ...journal, connection: await tryOne(async () => { await checkDatabase({ url, schema, timeoutMs }) }, timeoutMs) } : journal
}

interface Inspected {
  readonly settings: Settings
  readonly journal: InspectedJournal | undefined
  readonly forwarders: readonly InspectedForwarder[]
  readonly connections: readonly Connection[] | undefined
  readonly sender: AskedOnce | undefined
  readonly warnings: readonly ConfigurationFault[]
}

function authentication ({ VOUCHERIFY_WEBHOOK_SECRETS: secrets, REQUIRED_HEADERS: headers, ALLOWED_SOURCES: sources, ALLOWED_SOURCES_MODE: mode }: Settings): readonly string[] {
  return [
    ...secrets.length === 0 ? [] : [`a signature by ${plural(secrets.length, 'secret')}`],
    ...headers.map(({ name }) => `the header ${name}`),
    ...sources.length === 0 ? [] : [`the sources ${sources.join(', ')} (${mode})`]
  ]
}

function toJson ({ settings, journal, forwarders, connections, sender, warnings }: Inspected): unknown {
  return {
    host: settings.HOST,
    port: settings.PORT,
    dataDir: settings.DATA_DIR,
    ...journal === undefined ? {} : { journal },
    authentication: authentication(settings),
    forwardersFile: settings.FORWARDERS_FILE ?? null,
    forwarders: forwarders.map(({ check, close, ...summary }, index) => ({ ...summary, ...connections === undefined ? {} : { connection: connections[index] } })),
    ...sender === undefined ? {} : { voucherify: sender },
    warnings
  }
}

function show ({ stdout, stderr }: CommandContext, { settings, journal, forwarders, connections, sender, warnings }: Inspected): void {
  const proofs = authentication(settings)
  stdout.write(`Listens at ${settings.HOST}:${settings.PORT}, keeps its data in ${printable(settings.DATA_DIR)}\n`)
  if (journal !== undefined) {
    stdout.write(`Keeps its events in the schema ${journal.schema} of the database ${printable(journal.database)}\n`)
    if (journal.connection !== undefined) stdout.write(`  connection: ${printable(connectionText(journal.connection))}\n`)
  }
  stdout.write(`Requires of a webhook: ${proofs.length === 0 ? 'nothing' : printable(proofs.join(', '))}\n`)
  stdout.write(`Forwarders, from ${settings.FORWARDERS_FILE === undefined ? 'FORWARDERS' : printable(settings.FORWARDERS_FILE)}:\n`)
  for (const [index, forwarder] of forwarders.entries()) {
    const { name, type, destination, route, start, order, concurrency, options } = forwarder
    stdout.write(`\n${name} (${printable(type)}), to ${printable(destination)}\n`)
    stdout.write(`  takes ${printable(wants(forwarder))}, ${start === 'now' ? 'from now on' : 'from the beginning of the journal'}; order: ${order}; ${concurrency} at once\n`)
    stdout.write(`  ${printable(Object.entries(options).map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(' ') || 'none' : String(value)}`).join('; '))}\n`)
    if (route !== undefined) stdout.write(`  connects ${printable(route)}\n`)
    if (connections !== undefined) stdout.write(`  connection: ${printable(connectionText(connections[index]))}\n`)
  }
  if (sender !== undefined) stdout.write(`\n${senderText(sender)}`)
  for (const { variable, message } of warnings) stderr.write(`warning: ${variable} ${printable(message)}\n`)
}

function wants ({ events, verdicts, where }: InspectedForwarder): string {
  const parts = [
    ...events === undefined ? [] : [events.join(',')],
    ...verdicts === undefined ? [] : [verdicts.join(',')],
    ...where === undefined ? [] : [`events that match ${JSON.stringify(where)}`]
  ]
  return parts.length === 0 ? 'everything' : parts.join(' and ')
}

function connectionText (connection: Connection | undefined): string {
  if (connection === undefined || connection.status === 'unknown') return 'cannot be tried'
  return connection.status === 'ok' ? 'ok' : `failed: ${connection.reason}`
}

/** Makes every path in the settings absolute, relative to the command's directory. */
export function inDirectory (settings: Settings, directory: string): Settings {
  return {
    ...settings,
    DATA_DIR: resolve(directory, settings.DATA_DIR),
    ...settings.FILE_FORWARDER_PATH === undefined ? {} : { FILE_FORWARDER_PATH: resolve(directory, settings.FILE_FORWARDER_PATH) },
    ...settings.FORWARDERS_FILE === undefined ? {} : { FORWARDERS_FILE: resolve(directory, settings.FORWARDERS_FILE) }
  }
}
