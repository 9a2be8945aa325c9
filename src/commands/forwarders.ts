import type { KnownForwarder } from '../delivery/operator-requests.js'
import { formatColumns, type Cell } from '../terminal/columns.js'
import { createPaint, isColourful } from '../terminal/output.js'
import { jsonLine } from '../terminal/printable.js'
import { columnsOf } from '../terminal/table.js'
import { formatSpan } from '../terminal/times.js'
import { watch } from '../terminal/watch.js'
import { exitCodes } from './command-line.js'
import type { CommandContext } from './context.js'
import { untilStopped } from './stop.js'
import { configuredForwarders, withStore, type Store, type StoreOptions } from './store.js'

export interface ForwardersOptions extends StoreOptions {
  readonly json?: boolean | undefined
  /** Repeat the output every this many seconds. */
  readonly watch?: number | undefined
}

/**
 * Shows every forwarder that the store knows, with its progress. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function forwarders (context: CommandContext, options: ForwardersOptions): Promise<number> {
  return await withStore(context, options, async (store) => {
    const { watch: everySeconds } = options
    if (everySeconds !== undefined) {
      return await untilStopped(context, async ({ signal }) => {
        await watch(context.stdout, context, { everyMs: everySeconds * 1000, signal }, async () => options.json === true ? jsonLines(await readForwarders(context, store)) : forwardersTable(context, await readForwarders(context, store)))
        return exitCodes.ok
      })
    }
    const looked = await readForwarders(context, store)
    if (options.json === true) context.stdout.write(jsonLines(looked))
    else {
      context.stdout.write(forwardersTable(context, looked))
      const unknown = looked.configured.filter(name => !looked.known.some(forwarder => forwarder.name === name))
      if (unknown.length > 0) context.stderr.write(`Configured, but not in the store yet, because no service has run with it: ${unknown.join(', ')}\n`)
    }
    return exitCodes.ok
  })
}

/** The store's forwarders, the configured names, and whether a service runs. */
export interface StoreForwarders {
  readonly known: readonly KnownForwarder[]
  readonly configured: readonly string[]
  readonly served: boolean
}

export async function readForwarders (context: CommandContext, { operator, settings }: Store): Promise<StoreForwarders> {
  return { known: await operator.forwarders(), configured: configuredForwarders(context, settings), served: await operator.isServed() }
}

/** Formats forwarders as a table that fits the terminal; empty if there are none. Every line ends with a line feed. */
export function forwardersTable (context: CommandContext, { known, configured, served }: StoreForwarders): string {
  if (known.length === 0) return ''
  const now = Date.now()
  // Only a journal that replicas share has leaders.
  const shared = known.some(({ leader }) => leader !== undefined)
  const paint = createPaint(isColourful(context.stdout, context))
  const alarming = (count: number, colour: 'red' | 'yellow'): Cell => count === 0 ? '0' : { text: String(count), colour }
  return formatColumns([
    { title: 'NAME', least: 8 }, { title: 'CONFIGURED', dropped: 2 }, { title: 'CURSOR', dropped: 4 }, { title: 'BACKLOG' }, { title: 'RETRYING', dropped: 3 }, { title: 'DEAD' },
    { title: 'OLDEST', dropped: 1 }, { title: 'BREAKER' }, ...shared ? [{ title: 'RUNS ON' }, { title: 'HOME', dropped: 5 }] : []
  ], known.map(({ name, cursor, pending, retrying, dead, oldestReceivedAt, breaker, leader, home }) => {
    const runs = configured.includes(name)
    return [
      name, runs ? 'yes' : { text: 'no', colour: 'yellow' }, String(cursor), String(pending + retrying), alarming(retrying, 'yellow'), alarming(dead, 'red'),
      oldestReceivedAt === null ? '-' : formatSpan(now - oldestReceivedAt),
      served && runs ? { text: breaker, colour: breaker === 'closed' ? 'green' : 'red' } : '-',
      ...shared ? [leader ?? '-', home ?? '-'] : []
    ]
  }), { width: context.stdout.isTTY === true ? columnsOf(context.stdout) : undefined, paint })
}

function jsonLines ({ known, configured, served }: StoreForwarders): string {
  return known.map((forwarder) => jsonLine(toJson(forwarder, configured, served))).join('')
}

function toJson ({ addedAt, oldestReceivedAt, pending, ...rest }: KnownForwarder, configured: readonly string[], served: boolean): Record<string, unknown> {
  return {
    ...rest,
    backlog: pending + rest.retrying,
    oldestReceivedAt: oldestReceivedAt === null ? null : new Date(oldestReceivedAt).toISOString(),
    addedAt: new Date(addedAt).toISOString(),
    // Without a running service the stored state is stale.
    breaker: served && configured.includes(rest.name) ? rest.breaker : null,
    configured: configured.includes(rest.name)
  }
}
