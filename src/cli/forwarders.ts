import type { KnownForwarder } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { configuredForwarders, withStore, type StoreOptions } from './store.js'
import { writeTable } from './table.js'
import { formatSpan } from './times.js'

export interface ForwardersOptions extends StoreOptions {
  readonly json?: boolean | undefined
}

/**
 * Shows every forwarder that the store knows, and how far it has come; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function forwarders (context: CommandContext, options: ForwardersOptions): Promise<number> {
  return await withStore(context, options, async ({ operator, settings }) => {
    const known = await operator.forwarders()
    const configured = configuredForwarders(context, settings)
    const served = await operator.isServed()
    if (options.json === true) {
      for (const forwarder of known) context.stdout.write(`${JSON.stringify(toJson(forwarder, configured, served))}\n`)
      return exitCodes.ok
    }
    const now = Date.now()
    if (known.length > 0) {
      writeTable(context.stdout, [
        ['NAME', 'CONFIGURED', 'CURSOR', 'BACKLOG', 'WAITING', 'DEAD', 'OLDEST', 'BREAKER'],
        ...known.map(forwarder => [
          forwarder.name,
          configured.includes(forwarder.name) ? 'yes' : 'no',
          String(forwarder.cursor),
          String(forwarder.pending + forwarder.waiting),
          String(forwarder.waiting),
          String(forwarder.dead),
          forwarder.oldestReceivedAt === null ? '-' : formatSpan(now - forwarder.oldestReceivedAt),
          served && configured.includes(forwarder.name) ? forwarder.breaker : '-'
        ])
      ])
    }
    const unknown = configured.filter(name => !known.some(forwarder => forwarder.name === name))
    if (unknown.length > 0) context.stderr.write(`Configured, and not known here yet, because no service has run with it: ${unknown.join(', ')}\n`)
    return exitCodes.ok
  })
}

function toJson ({ addedAt, oldestReceivedAt, pending, ...rest }: KnownForwarder, configured: readonly string[], served: boolean): Record<string, unknown> {
  return {
    ...rest,
    backlog: pending + rest.waiting,
    oldestReceivedAt: oldestReceivedAt === null ? null : new Date(oldestReceivedAt).toISOString(),
    addedAt: new Date(addedAt).toISOString(),
    // Nobody changes it while no service runs.
    breaker: served && configured.includes(rest.name) ? rest.breaker : null,
    configured: configured.includes(rest.name)
  }
}
