import { resolve } from 'node:path'
import { loadStoreSettings } from '../config/load-settings.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { jsonLine } from './printable.js'
import { readEnvFile } from './read-env-file.js'
import type { StoreOptions } from './store.js'
import { writeTable } from './table.js'
import { shortTime } from './times.js'

export interface DriftOptions extends StoreOptions {
  readonly json?: boolean | undefined
}

/**
 * Lists in which ways authentic events differed from their schemas; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function drift (context: CommandContext, options: DriftOptions): Promise<number> {
  const envFile = await readEnvFile({ directory: context.directory, path: options.envFile })
  const settings = loadStoreSettings({ environment: context.environment, ...envFile === undefined ? {} : { envFile } })
  const dataDir = resolve(context.directory, options.dataDir ?? settings.DATA_DIR)
  let report: Awaited<ReturnType<CommandContext['readDrift']>>
  try {
    report = await context.readDrift({ dataDir })
  } catch (error) {
    context.stderr.write(`tierhook: What the service has noticed cannot be read from ${dataDir}: ${error instanceof Error ? error.message : String(error)}\n`)
    return exitCodes.failure
  }
  if (report === undefined) {
    context.stderr.write(`tierhook: There is no observations.json in ${dataDir}: name the right data folder with --data-dir or DATA_DIR, or start the service there first\n`)
    return exitCodes.failure
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
  } else {
    context.stderr.write('No event differed from what is known of it.\n')
  }
  if (dropped > 0) context.stderr.write(`${dropped} more differences were met after the table was full.\n`)
  return exitCodes.ok
}
