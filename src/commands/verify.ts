import { setImmediate as turn } from 'node:timers/promises'
import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'
import { countDeliveries, jsonLine } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { untilStopped } from './stop.js'
import { withStore, type StoreOptions } from './store.js'

export interface VerifyOptions extends StoreOptions {
  readonly full?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Records per read transaction. */
const stepSize = 500

/**
 * Checks every record against its checksum, and with `full` the database's structure too. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function verify (context: CommandContext, options: VerifyOptions): Promise<number> {
  return await withStore(context, options, async ({ operator }) => await untilStopped(context, async stop => {
    const bar = startProgressBar(context, await operator.lastSequence())
    const damaged: Array<{ readonly sequence: number, readonly id: string | null }> = []
    let checked = 0
    try {
      for (let after = 0, done = false; !done && !stop.signal.aborted;) {
        const step = await operator.verify({ after, limit: stepSize })
        checked += step.checked
        damaged.push(...step.damaged)
        after = step.upTo
        done = step.done
        bar.update(after)
        await turn()
      }
    } finally {
      bar.stop()
    }
    const complaints = options.full === true && !stop.signal.aborted ? await operator.checkFiles() : []
    if (options.json === true) {
      context.stdout.write(jsonLine({ checked, damaged, ...options.full === true ? { complaints } : {}, stopped: stop.signal.aborted }))
    } else {
      for (const { sequence, id } of damaged) context.stdout.write(`damaged: ${id ?? `(sequence ${sequence}, its id cannot be read)`}\n`)
      for (const complaint of complaints) context.stdout.write(`database: ${complaint}\n`)
      context.stdout.write(`${countDeliveries(checked)} checked, ${damaged.length === 0 ? 'none' : damaged.length} damaged${options.full === true && complaints.length === 0 ? ', the database is sound' : ''}\n`)
      if (damaged.length > 0) context.stderr.write('Damaged deliveries are not forwarded any more. Ask the sender to send them again if it can, and look for the cause in the disk.\n')
    }
    if (stop.signal.aborted) return stop.exitCode()
    return damaged.length + complaints.length > 0 ? exitCodes.failure : exitCodes.ok
  }))
}
