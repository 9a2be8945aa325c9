import { setImmediate as turn } from 'node:timers/promises'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { knownForwarder } from './known-forwarder.js'
import { countDeliveries, plural } from './plural.js'
import { untilStopped } from './stop.js'
import { configuredForwarders, withStore, type StoreOptions } from './store.js'
import { UsageError } from './usage-error.js'

export interface ForgetOptions extends StoreOptions {
  readonly force?: boolean | undefined
}

/** Entries in one transaction. */
const stepSize = 500

/**
 * Ends a forwarder: its cursor, what waits for it, and its dead letters; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function forget (context: CommandContext, name: string, options: ForgetOptions): Promise<number> {
  return await withStore(context, options, async ({ operator, settings }) => await untilStopped(context, async stop => {
    const { pending, waiting, dead } = await knownForwarder(operator, name)
    if (configuredForwarders(context, settings).includes(name)) {
      if (await operator.isServed()) {
        throw new UsageError(`A service runs with the forwarder ${name}: take it out of the configuration, and restart the service first`)
      }
      if (options.force !== true) {
        throw new UsageError(`The forwarder ${name} is configured, and would begin anew at the next start: take it out of the configuration, or give --force if that is meant`)
      }
    }
    for (let done = false; !done;) {
      done = (await operator.forget({ forwarder: name, limit: stepSize })).done
      await turn()
      if (stop.signal.aborted && !done) {
        context.stderr.write(`Stopped half-way: run it again to forget the rest of ${name}\n`)
        return stop.exitCode()
      }
    }
    context.stdout.write(`Forgot ${name}, with ${countDeliveries(pending + waiting)} that it had yet to get and ${plural(dead, 'dead letter')}\n`)
    return exitCodes.ok
  }))
}
