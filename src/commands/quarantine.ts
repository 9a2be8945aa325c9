import type { ListedDelivery } from '../delivery/listing.js'
import type { CommandContext } from './context.js'
import { listPage, type DeliveriesOptions } from './deliveries.js'
import { listForm, MIN_TYPE_WIDTH } from './describe-listed.js'
import { writeColumns } from '../terminal/columns.js'

/**
 * Lists quarantined deliveries, newest first. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function quarantine (context: CommandContext, options: DeliveriesOptions): Promise<number> {
  return await listPage(context, { ...options, status: 'quarantined' }, {
    whenNone: 'Nothing is in quarantine.',
    write (listed) {
      const form = listForm(context, listed.map(({ id }) => id))
      writeColumns(context.stdout, context, [
        { title: 'ID' }, { title: 'RECEIVED', dropped: 1 }, { title: 'TYPE', least: MIN_TYPE_WIDTH, keepsEnd: true }, { title: 'VERDICT', dropped: 3 }, { title: 'CUSTOMER', dropped: 2 }, { title: 'FAULTS', least: 12 }
      ], listed.map((delivery) => [
        form.id(delivery.id), form.time(delivery.receivedAt), delivery.eventType, delivery.verdict, form.customer(delivery.customerId), faultWords(delivery.faults)
      ]))
    }
  })
}

/** Returns the first fault and the number of further ones. */
export function faultWords (faults: ListedDelivery['faults']): string {
  const [first] = faults
  if (first === undefined) return '-'
  return `${first.pointer} ${first.message}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`.trim()
}
