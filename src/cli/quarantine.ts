import type { ListedDelivery } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { toFilter, type FilterOptions } from './delivery-filter.js'
import { listedJson } from './describe-listed.js'
import { exitCodes } from './exit-codes.js'
import { findDelivery } from './find-delivery.js'
import { listReadable, reportUnreadable } from './list-readable.js'
import { jsonLine } from './printable.js'
import { withStore, type StoreOptions } from './store.js'
import { writeTable } from './table.js'
import { shortTime } from './times.js'

export interface QuarantineOptions extends StoreOptions, FilterOptions {
  readonly limit: number
  readonly before?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * Lists what is held in quarantine, newest first; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function quarantine (context: CommandContext, options: QuarantineOptions): Promise<number> {
  return await withStore(context, options, async ({ operator }) => {
    const filter = { ...await toFilter(operator, options), standing: 'quarantined' } as const
    const before = options.before === undefined ? undefined : (await findDelivery(operator, options.before)).sequence
    const readable = await listReadable(operator, { filter, before, limit: options.limit })
    const held = readable.listed
    const exitCode = reportUnreadable(context.stderr, readable) ? exitCodes.failure : exitCodes.ok
    if (options.json === true) {
      for (const delivery of held) context.stdout.write(jsonLine(listedJson(delivery)))
      return exitCode
    }
    const last = held.at(-1)
    if (last === undefined) {
      context.stderr.write('Nothing is in quarantine.\n')
      return exitCode
    }
    writeTable(context.stdout, [
      ['ID', 'RECEIVED', 'TYPE', 'VERDICT', 'CUSTOMER', 'FAULTS'],
      ...held.map(delivery => [delivery.id, shortTime(delivery.receivedAt), delivery.eventType, delivery.verdict, delivery.customerId ?? '-', faultWords(delivery.faults)])
    ])
    if (held.length === options.limit) context.stderr.write(`For the next ${options.limit}, add --before ${last.id}\n`)
    return exitCode
  })
}

/** The first fault, and how many more there are. */
export function faultWords (faults: ListedDelivery['faults']): string {
  const [first] = faults
  if (first === undefined) return '-'
  return `${first.pointer} ${first.message}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`.trim()
}
