import type { ListedDelivery } from '../delivery/listing.js'
import type { CommandContext } from './context.js'
import { toFilter, type FilterOptions } from './delivery-filter.js'
import { listedJson, writeListed } from './describe-listed.js'
import { exitCodes } from './command-line.js'
import { findDelivery } from './find-delivery.js'
import { listReadable, reportUnreadable } from './list-readable.js'
import { jsonLine } from '../terminal/printable.js'
import { withStore, type StoreOptions } from './store.js'

export interface DeliveriesOptions extends StoreOptions, FilterOptions {
  readonly limit: number
  readonly before?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * Lists deliveries, newest first. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function deliveries (context: CommandContext, options: DeliveriesOptions): Promise<number> {
  return await listPage(context, options, { whenNone: 'No delivery matches.', write: (listed) => { writeListed(context, listed, options.forwarder) } })
}

export interface PageForm {
  /** Message printed if nothing matches. */
  readonly whenNone: string
  /** Prints the table. */
  readonly write: (listed: readonly ListedDelivery[]) => void
}

/**
 * Lists one page of the matching deliveries, newest first. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function listPage (context: CommandContext, options: DeliveriesOptions, { whenNone, write }: PageForm): Promise<number> {
  return await withStore(context, options, async ({ operator }) => {
    const filter = await toFilter(operator, options)
    const before = options.before === undefined ? undefined : (await findDelivery(operator, options.before)).sequence
    const readable = await listReadable(operator, { filter, before, limit: options.limit })
    const { listed } = readable
    const exitCode = reportUnreadable(context.stderr, readable) ? exitCodes.failure : exitCodes.ok
    if (options.json === true) {
      for (const delivery of listed) context.stdout.write(jsonLine(listedJson(delivery)))
      return exitCode
    }
    const last = listed.at(-1)
    if (last === undefined) {
      context.stderr.write(`${whenNone}\n`)
      return exitCode
    }
    write(listed)
    if (listed.length === options.limit) context.stderr.write(`For the next ${options.limit}, add --before ${last.id}\n`)
    return exitCode
  })
}
