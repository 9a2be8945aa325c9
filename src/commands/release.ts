import { setImmediate as turn } from 'node:timers/promises'
import type { Operator } from '../delivery/operator.js'
import type { Released } from '../delivery/operator-requests.js'
import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { isFiltered, pagesOf, toFilter, type FilterOptions } from './delivery-filter.js'
import { exitCodes, UsageError } from './command-line.js'
import { findDeliveries } from './find-delivery.js'
import { chosen, noteAction } from './note-action.js'
import { countDeliveries, jsonLine, printable } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { faultWords } from './quarantine.js'
import { untilStopped } from './stop.js'
import { withStore, type StoreOptions } from './store.js'

export interface ReleaseOptions extends StoreOptions, FilterOptions {
  readonly all?: boolean | undefined
  readonly force?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Deliveries per transaction. */
const stepSize = 500
/** How many deliveries that stay in quarantine are listed with the reason. */
const shownLimit = 20

/**
 * Releases deliveries whose events are valid now, or all chosen ones with `force`. Resolves with the exit code, which is a failure if none was
 * released.
 * @throws ConfigurationError, UsageError
 */
export async function release (context: CommandContext, ids: readonly string[], options: ReleaseOptions): Promise<number> {
  const isChosen = options.all === true || isFiltered(options)
  if (ids.length > 0 && isChosen) throw new UsageError('Name deliveries, or choose them with --all and filters, but not both')
  if (ids.length === 0 && !isChosen) throw new UsageError('Name the deliveries to release, or give --all or a filter such as --type')

  return await withStore(context, options, async ({ operator, dataDir }) => await untilStopped(context, async stop => {
    // A delivery named twice is released once; its second release would fail with `not in quarantine`.
    const found = await findDeliveries(operator, ids)
    const named = found.map(({ sequence }) => sequence)
    const last = await operator.lastSequence()
    const bar = startProgressBar(context, named.length > 0 ? named.length : last)
    const counts: Record<Released['status'], number> = { released: 0, 'still invalid': 0, 'too old': 0, 'not in quarantine': 0, damaged: 0, gone: 0 }
    const staying: Released[] = []
    /** Written at the end, because a reader that closes the pipe ends the process and would stop the work. */
    const lines: string[] = []
    const releasing = async (): Promise<void> => {
      for await (const { sequences, progress } of steps(operator, named, options)) {
        for (const result of await operator.release({ sequences, force: options.force === true })) {
          counts[result.status] += 1
          if (options.json === true) lines.push(jsonLine(result))
          else if (result.status !== 'released' && staying.length < shownLimit) staying.push(result)
        }
        bar.update(progress)
        await turn()
        if (stop.signal.aborted) break
      }
    }
    const action = (): OperatorAction => ({
      action: 'release', from: 'quarantine', ...chosen(found.map(({ id }) => id), options), force: options.force === true, count: counts.released
    })
    await noteAction(context, { dataDir, stop, action }, releasing).finally(() => { bar.stop() })
    const forcible = counts['still invalid'] + counts['too old']
    const stayed = forcible + counts['not in quarantine'] + counts.damaged + counts.gone
    if (options.json === true) context.stdout.write(lines.join(''))
    else report(context, { released: counts.released, stayed, forcible, staying })
    if (stop.signal.aborted) return stop.exitCode()
    return counts.released === 0 || (named.length > 0 && stayed > 0) ? exitCodes.failure : exitCodes.ok
  }))
}

async function * steps (operator: Operator, named: readonly number[], options: ReleaseOptions): AsyncGenerator<{ sequences: readonly number[], progress: number }> {
  for (let at = 0; at < named.length; at += stepSize) yield { sequences: named.slice(at, at + stepSize), progress: at + stepSize }
  if (named.length > 0) return
  const filter = { ...await toFilter(operator, options), status: 'quarantined' } as const
  for await (const { sequences, last } of pagesOf(operator, { filter, limit: stepSize })) yield { sequences, progress: last.sequence }
}

function report (context: CommandContext, { released, stayed, forcible, staying }: { released: number, stayed: number, forcible: number, staying: readonly Released[] }): void {
  for (const { id, status, faults } of staying) {
    context.stderr.write(`${id} ${status}${faults.length > 0 ? `: ${printable(faultWords(faults))}` : ''}\n`)
  }
  if (stayed > staying.length) context.stderr.write(`… and ${stayed - staying.length} more\n`)
  context.stdout.write(`${countDeliveries(released)} released${stayed === 0 ? '' : `, ${stayed} not`}\n`)
  if (forcible > 0) context.stderr.write('--force also releases what is still invalid or too old\n')
}
