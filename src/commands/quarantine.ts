import type { ListedDelivery } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { toFilter, type FilterOptions } from './delivery-filter.js'
import { listedJson, listForm, TYPE_LEAST } from './describe-listed.js'
import { exitCodes } from './command-line.js'
import { findDelivery } from './find-delivery.js'
import { listReadable, reportUnreadable } from './list-readable.js'
import { jsonLine } from '../terminal/printable.js'
import { withStore, type StoreOptions } from './store.js'
import { writeColumns } from '../terminal/columns.js'

export interface QuarantineOptions extends StoreOptions, FilterOptions {
  readonly limit: number
  readonly before?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * Lists what is quarantined, newest first; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function quarantine (context: CommandContext, options: QuarantineOptions): Promise<number> {
  return await withStore(context, options, async ({ operator }) => {
    const filter = { ...await toFilter(operator, options), status: 'quarantined' } as const
    const before = options.before === undefined ? undefined : (await findDelivery(operator, options.before)).sequence
    const readable = await listReadable(operator, { filter, before, limit: options.limit })
    const listed = readable.listed
    const exitCode = reportUnreadable(context.stderr, readable) ? exitCodes.failure : exitCodes.ok
    if (options.json === true) {
      for (const delivery of listed) context.stdout.write(jsonLine(listedJson(delivery)))
      return exitCode
    }
    const last = listed.at(-1)
    if (last === undefined) {
      context.stderr.write('Nothing is in quarantine.\n')
      return exitCode
    }
    const form = listForm(context, listed.map(({ id }) => id))
    writeColumns(context.stdout, context, [
      { title: 'ID' }, { title: 'RECEIVED', dropped: 1 }, { title: 'TYPE', least: TYPE_LEAST, keepsEnd: true }, { title: 'VERDICT', dropped: 3 }, { title: 'CUSTOMER', dropped: 2 }, { title: 'FAULTS', least: 12 }
    ], listed.map((delivery) => [
      form.id(delivery.id), form.time(delivery.receivedAt), delivery.eventType, delivery.verdict, form.customer(delivery.customerId), faultWords(delivery.faults)
    ]))
    if (listed.length === options.limit) context.stderr.write(`For the next ${options.limit}, add --before ${last.id}\n`)
    return exitCode
  })
}

/** The first fault, and how many more there are. */
export function faultWords (faults: ListedDelivery['faults']): string {
  const [first] = faults
  if (first === undefined) return '-'
  return `${first.pointer} ${first.message}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`.trim()
}
