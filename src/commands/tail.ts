import type { ListedDelivery } from '../delivery/listing.js'
import type { Operator } from '../delivery/operator.js'
import { createPaint, isColourful } from '../terminal/output.js'
import { formatEvent } from '../terminal/log-line.js'
import type { CommandContext } from './context.js'
import { listedJson } from './describe-listed.js'
import { exitCodes } from './command-line.js'
import { jsonLine } from '../terminal/printable.js'
import { untilStopped } from './stop.js'
import { withStore, type StoreOptions } from './store.js'
import { formatTiers } from '../terminal/short.js'
import { formatTable } from '../terminal/table.js'
import { shortTime } from '../terminal/times.js'
import { describeEvent, type EventDescription } from '../voucherify/describe-event.js'
import { parseBody } from '../voucherify/parse-body.js'
import { pause } from '../delivery/within.js'

export interface TailOptions extends StoreOptions {
  readonly type?: string | undefined
  readonly json?: boolean | undefined
  readonly count?: number | undefined
}

const pollMs = 500
const pageSize = 200

/**
 * Shows deliveries as they arrive, until a signal or the given count; resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function tail (context: CommandContext, options: TailOptions): Promise<number> {
  return await withStore(context, options, async ({ operator }) => await untilStopped(context, async stop => {
    let after = await operator.lastSequence()
    let left = options.count ?? Infinity
    while (left > 0 && !stop.signal.aborted) {
      const last = await operator.lastSequence()
      const limit = Math.min(left, pageSize)
      const page = await operator.list({ filter: { eventType: options.type }, order: 'oldest first', after, limit })
      for (const delivery of page) context.stdout.write(options.json === true ? jsonLine(listedJson(delivery)) : lineOf(context, delivery, await describe(operator, delivery)))
      // Move past deliveries that do not match, so that they are not read again.
      after = page.length === limit ? page.at(-1)?.sequence ?? after : Math.max(page.at(-1)?.sequence ?? after, last)
      left -= page.length
      if (page.length < limit) await pause(pollMs, stop.signal)
    }
    return exitCodes.ok
  }))
}

/** Reads the tiers, which only the body contains. A delivery that was removed or is damaged has none. */
async function describe (operator: Operator, { sequence }: ListedDelivery): Promise<EventDescription> {
  const details = await operator.read(sequence)
  const parsed = details?.rawBody === undefined ? undefined : parseBody(details.rawBody)
  return parsed?.ok === true ? describeEvent(parsed.value) : {}
}

/** Formats a delivery as one line. A new delivery is normally still being forwarded, so only `quarantined` is shown as a status. */
function lineOf (context: CommandContext, { id, receivedAt, eventType, verdict, state, customerId, faults }: ListedDelivery, event: EventDescription): string {
  if (context.stdout.isTTY === true) {
    return `${formatEvent({ time: receivedAt, deliveryId: id, eventType, verdict, quarantined: state === 'quarantined', customerId, faults, ...event }, createPaint(isColourful(context.stdout, context)))}\n`
  }
  return `${formatTable([[shortTime(receivedAt), id, eventType, verdict, ...state === 'quarantined' ? [state] : [], ...[formatTiers(event)].filter((tiers) => tiers !== ''), customerId ?? '-']])}\n`
}
