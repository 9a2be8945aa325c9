import { setTimeout as sleep } from 'node:timers/promises'
import type { ListedDelivery } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { listedJson } from './describe-listed.js'
import { exitCodes } from './exit-codes.js'
import { jsonLine } from './printable.js'
import { untilStopped } from './stop.js'
import { withStore, type StoreOptions } from './store.js'
import { writeTable } from './table.js'
import { shortTime } from './times.js'

export interface TailOptions extends StoreOptions {
  readonly type?: string | undefined
  readonly json?: boolean | undefined
  readonly count?: number | undefined
}

const pollMs = 500
const pageSize = 200

/**
 * Shows deliveries as they come in, until a signal stops it or there have been enough; resolves with the exit code.
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
      for (const delivery of page) show(context, delivery, options.json === true)
      // What does not match is not to be looked at again.
      after = page.length === limit ? page.at(-1)?.sequence ?? after : Math.max(page.at(-1)?.sequence ?? after, last)
      left -= page.length
      if (page.length < limit) await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => { /* the stop */ })
    }
    return exitCodes.ok
  }))
}

function show (context: CommandContext, delivery: ListedDelivery, json: boolean): void {
  if (json) {
    context.stdout.write(jsonLine(listedJson(delivery)))
    return
  }
  // What has just come in is on its way: only what is not is worth a word.
  const { id, receivedAt, eventType, verdict, hold, customerId } = delivery
  writeTable(context.stdout, [[shortTime(receivedAt), id, eventType, verdict, ...hold === 'quarantined' ? [hold] : [], customerId ?? '-']])
}
