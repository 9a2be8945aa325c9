import { loadClientSettings, loadOwnToken } from '../config/load-settings.js'
import type { Need } from '../composition/stored-needs.js'
import { createPaint, isColourful } from '../terminal/output.js'
import { jsonLine, plural, printable } from '../terminal/printable.js'
import { formatSpan } from '../terminal/times.js'
import { watch } from '../terminal/watch.js'
import { askStatus, type AskedStatus } from './ask-status.js'
import { exitCodes } from './command-line.js'
import type { CommandContext } from './context.js'
import { forwardersTable, readForwarders, type StoreForwarders } from './forwarders.js'
import { settingsSource } from './read-env-file.js'
import { untilStopped } from './stop.js'
import { withStore, type Store, type StoreOptions } from './store.js'

export interface StatusOptions extends StoreOptions {
  readonly json?: boolean | undefined
  /** Repeat the output every this many seconds. */
  readonly watch?: number | undefined
}

/**
 * Shows the service's state and its needs on one screen. Resolves with the exit code, which is a failure if anything needs the operator.
 * @throws ConfigurationError, UsageError
 */
export async function status (context: CommandContext, options: StatusOptions): Promise<number> {
  const source = await settingsSource(context, options)
  const { ADMIN_HOST: host, ADMIN_PORT: port } = loadClientSettings(source)
  const token = loadOwnToken(source)
  const { storedNeeds } = await import('../composition/stored-needs.js')

  async function find (store: Store): Promise<Found> {
    const asked = port === 0 ? undefined : await askStatus({ host, port, token })
    const looked = await readForwarders(context, store)
    if (asked !== undefined && 'status' in asked) return { asked, looked, needs: asked.status.needs }
    const { served, known: forwarders, configured } = looked
    const needs = storedNeeds({ forwarders, quarantined: await store.operator.countQuarantined(), configured })
    return { asked, looked, needs: served && asked === undefined ? needs : [{ kind: 'not ready', text: served ? `the operator's listener ${asked?.silent ?? ''}` : 'no service runs' }, ...needs] }
  }

  return await withStore(context, options, async (store) => {
    let found: Found | undefined
    const render = async (): Promise<string> => {
      found = await find(store)
      return options.json === true ? jsonLine(toJson(found)) : screen(context, found)
    }
    const { watch: everySeconds } = options
    if (everySeconds === undefined) context.stdout.write(await render())
    else {
      await untilStopped(context, async ({ signal }) => {
        await watch(context.stdout, context, { everyMs: everySeconds * 1000, signal }, render)
        return exitCodes.ok
      })
    }
    return found === undefined || found.needs.length > 0 ? exitCodes.failure : exitCodes.ok
  })
}

interface Found {
  /** `undefined` if the operator's listener is off. */
  readonly asked: AskedStatus | undefined
  readonly looked: StoreForwarders
  readonly needs: readonly Need[]
}

function screen (context: CommandContext, { asked, looked, needs }: Found): string {
  const paint = createPaint(isColourful(context.stdout, context))
  const now = Date.now()
  const lines = needs.map((need) => {
    const since = need.since === undefined ? '' : `, for ${formatSpan(now - Date.parse(need.since))}`
    const advice = adviceFor(need)
    return `  ${paint('red', '!')} ${printable(need.text)}${since}${advice === '' ? '' : `\n      ${paint('dim', advice)}`}\n`
  })
  const table = forwardersTable(context, looked)
  return [
    `${head(asked, looked, now)}\n\n`,
    needs.length === 0 ? `${paint('green', 'Nothing needs you.')}\n` : `${paint('bold', `${plural(needs.length, 'thing needs', 'things need')} you:`)}\n${lines.join('')}`,
    table === '' ? '' : `\n${table}`,
    asked !== undefined && 'status' in asked ? `\n${disk(asked.status)}\n` : ''
  ].join('')
}

function head (asked: AskedStatus | undefined, { served }: StoreForwarders, now: number): string {
  if (asked !== undefined && 'status' in asked) {
    const { version, ready, startedAt } = asked.status
    return `tierhook ${printable(version)} is ${ready ? 'ready' : 'not ready'}, up for ${formatSpan(now - Date.parse(startedAt))}: ${asked.url}`
  }
  if (asked === undefined) return served ? 'tierhook runs; its operator\'s listener is off (ADMIN_PORT is 0), so this is what the store says' : 'tierhook does not run'
  return served ? `tierhook runs, and ${asked.url} ${printable(asked.silent)}; this is what the store says` : `tierhook does not run here: ${asked.url} ${printable(asked.silent)}`
}

function disk ({ storeBytes, diskFreeBytes }: Extract<AskedStatus, { readonly status: unknown }>['status']): string {
  const size = (bytes: number | null): string => bytes === null ? 'unknown' : `${(bytes / 1_000_000).toLocaleString('en-GB', { maximumFractionDigits: 0 })} MB`
  return `Store ${size(storeBytes)}, ${size(diskFreeBytes)} free`
}

/** Returns a command that shows or mends the need; empty if there is none. */
function adviceFor ({ kind, forwarder }: Need): string {
  switch (kind) {
    case 'dead letters': return `tierhook dead-letters${forwarder === undefined ? '' : ` --forwarder ${forwarder}`}`
    case 'destination down': return 'tierhook check --connect'
    case 'forwarder not led': return 'tierhook forwarders'
    case 'quarantine': return 'tierhook quarantine'
    case 'forwarder not configured': return `tierhook forwarders forget ${forwarder ?? ''}`
    case 'webhook': return 'tierhook check --voucherify'
    default: return ''
  }
}

function toJson ({ asked, looked: { known, served }, needs }: Found): Record<string, unknown> {
  return {
    running: served,
    url: asked?.url ?? null,
    ...asked !== undefined && 'status' in asked ? { status: asked.status } : { status: null, silent: asked?.silent ?? null },
    needs,
    forwarders: known.map(({ name, pending, retrying, dead, breaker, paused }) => ({ name, backlog: pending + retrying, retrying, dead, breaker: served ? breaker : null, paused }))
  }
}
