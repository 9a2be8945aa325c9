import { resolve } from 'node:path'
import { loadStoreSettings } from '../config/load-settings.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'
import { addAction } from './note-action.js'
import { jsonLine } from '../terminal/printable.js'
import { settingsSource } from './read-env-file.js'
import type { StoreOptions } from './store.js'
import { writeTable } from '../terminal/table.js'
import { shortTime } from '../terminal/times.js'

export interface DriftOptions extends StoreOptions {
  readonly json?: boolean | undefined
}

/**
 * Lists in which ways authentic events differed from their schemas; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function drift (context: CommandContext, options: DriftOptions): Promise<number> {
  const dataDir = await dataDirOf(context, options)
  let report: Awaited<ReturnType<CommandContext['readDrift']>>
  try {
    report = await context.readDrift({ dataDir })
  } catch (error) {
    context.stderr.write(`tierhook: What the service has noticed cannot be read from ${dataDir}: ${error instanceof Error ? error.message : String(error)}\n`)
    return exitCodes.failure
  }
  if (report === undefined) {
    return nothingNoted(context, dataDir)
  }
  const { differences, dropped } = report
  if (options.json === true) {
    for (const difference of differences) context.stdout.write(jsonLine(difference))
  } else if (differences.length > 0) {
    writeTable(context.stdout, [
      ['COUNT', 'LAST', 'FIRST', 'TYPE', 'KIND', 'POINTER', 'EXPECTED', 'SEEN'],
      ...differences.map(each => [
        String(each.count), shortTime(Date.parse(each.lastAt)), shortTime(Date.parse(each.firstAt)), each.eventType, each.kind, each.pointer === '' ? '(the whole body)' : each.pointer, each.expected ?? '-', each.seen ?? '-'
      ])
    ])
    for (const [kind, advice] of new Map(differences.map((each) => [each.kind, each.advice]))) if (advice !== null) context.stderr.write(`${kind}: ${advice}\n`)
  } else {
    context.stderr.write('No event differed from what is known of it, or what did was forgotten.\n')
  }
  if (dropped > 0) context.stderr.write(`${dropped} more differences were met after the table was full.\n`)
  return exitCodes.ok
}

/**
 * Has the service forget what drift it has met, whether it runs or not; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function resetDrift (context: CommandContext, options: StoreOptions): Promise<number> {
  const dataDir = await dataDirOf(context, options)
  try {
    if (!await context.resetDrift({ dataDir })) return nothingNoted(context, dataDir)
  } catch (error) {
    context.stderr.write(`tierhook: Drift cannot be reset in ${dataDir}: ${error instanceof Error ? error.message : String(error)}\n`)
    return exitCodes.failure
  }
  addAction(context, dataDir, { action: 'reset drift' })
  context.stdout.write('Drift is forgotten. A service that runs begins anew within seconds.\n')
  return exitCodes.ok
}

async function dataDirOf (context: CommandContext, options: StoreOptions): Promise<string> {
  const settings = loadStoreSettings(await settingsSource(context, options))
  return resolve(context.directory, options.dataDir ?? settings.DATA_DIR)
}

function nothingNoted (context: CommandContext, dataDir: string): number {
  context.stderr.write(`tierhook: There is no observations.json in ${dataDir}: name the right data folder with --data-dir or DATA_DIR, or start the service there first\n`)
  return exitCodes.failure
}
