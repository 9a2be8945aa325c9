import { setImmediate as turn } from 'node:timers/promises'
import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { exitCodes, UsageError } from './command-line.js'
import { knownForwarder } from './known-forwarder.js'
import { noteAction } from './note-action.js'
import { countDeliveries, plural } from '../terminal/printable.js'
import { untilStopped } from './stop.js'
import { configuredForwarders, withStore, type StoreOptions } from './store.js'

export interface ForgetOptions extends StoreOptions {
  readonly force?: boolean | undefined
}

/** Entries per transaction. */
const stepSize = 500

/**
 * Removes a forwarder with its cursor, waiting deliveries and dead letters. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function forget (context: CommandContext, name: string, options: ForgetOptions): Promise<number> {
  return await withStore(context, options, async ({ operator, settings, dataDir }) => await untilStopped(context, async stop => {
    const { pending, retrying, dead } = await knownForwarder(operator, name)
    if (configuredForwarders(context, settings).includes(name)) {
      if (await operator.isServed()) {
        throw new UsageError(`A service runs with the forwarder ${name}: take it out of the configuration, and restart the service first`)
      }
      if (options.force !== true) {
        throw new UsageError(`The forwarder ${name} is configured, and would start over at the next start: take it out of the configuration, or give --force if you want that`)
      }
    }
    let dropped = 0
    const forgetting = async (): Promise<boolean> => {
      for (let done = false; !done;) {
        const step = await operator.forget({ forwarder: name, limit: stepSize })
        done = step.done
        dropped += step.dropped
        await turn()
        if (stop.signal.aborted && !done) return false
      }
      return true
    }
    const action = (): OperatorAction => ({ action: 'forget', forwarders: [name], force: options.force === true, count: dropped })
    if (!await noteAction(context, { dataDir, stop, action }, forgetting)) {
      context.stderr.write(`Stopped half-way: run this command again to forget the rest of ${name}\n`)
      return stop.exitCode()
    }
    context.stdout.write(`Forgot ${name}, with ${countDeliveries(pending + retrying)} that it had yet to get and ${plural(dead, 'dead letter')}\n`)
    return exitCodes.ok
  }))
}
