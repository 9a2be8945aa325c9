import { StoreError } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'
import { addAction } from './note-action.js'
import { jsonLine } from '../terminal/printable.js'
import { withStorePlace, type StoreOptions, type StorePlace } from './store.js'
import { writeTable } from '../terminal/table.js'
import { shortTime } from '../terminal/times.js'

export interface DriftOptions extends StoreOptions {
  readonly json?: boolean | undefined
}

/**
 * Lists how authentic events differed from their schemas. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function drift (context: CommandContext, options: DriftOptions): Promise<number> {
  return await withStorePlace(context, options, async (place) => await show(context, options, place))
}

async function show (context: CommandContext, options: DriftOptions, place: StorePlace): Promise<number> {
  let report: Awaited<ReturnType<CommandContext['readDrift']>>
  try {
    report = await context.readDrift(place)
  } catch (error) {
    return failure(context, `The drift that the service noted cannot be read from ${place.dataDir}`, error)
  }
  if (report === undefined) return nothingNoted(context, place)
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
    context.stderr.write('No event has differed from its schema since drift was last reset.\n')
  }
  if (dropped > 0) context.stderr.write(`${dropped} more differences were met after the table was full.\n`)
  return exitCodes.ok
}

/**
 * Makes the service forget its drift, whether it runs or not. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function resetDrift (context: CommandContext, options: StoreOptions): Promise<number> {
  return await withStorePlace(context, options, async (place) => {
    const { dataDir } = place
    try {
      if (!await context.resetDrift(place)) return nothingNoted(context, place)
    } catch (error) {
      return failure(context, `Drift cannot be reset in ${dataDir}`, error)
    }
    addAction(context, dataDir, { action: 'reset drift' })
    context.stdout.write('Drift is forgotten. A running service starts over within seconds.\n')
    return exitCodes.ok
  })
}

/** Errors of the store itself are reported by the caller. */
function failure (context: CommandContext, what: string, error: unknown): number {
  if (error instanceof StoreError) throw error
  context.stderr.write(`tierhook: ${what}: ${error instanceof Error ? error.message : String(error)}\n`)
  return exitCodes.failure
}

function nothingNoted (context: CommandContext, { dataDir, journal }: StorePlace): number {
  context.stderr.write(journal !== undefined
    ? 'tierhook: No replica has noted anything yet: start one first\n'
    : `tierhook: There is no observations.json in ${dataDir}: name the right data folder with --data-dir or DATA_DIR, or start the service there first\n`)
  return exitCodes.failure
}
