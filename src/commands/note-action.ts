import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import type { FilterOptions } from './delivery-filter.js'
import type { Stop } from './stop.js'

/** How many ids an action lists at most. */
export const maxIds = 200
/** How many characters of the user's text are kept. */
const maxCharacters = 500

export interface Noted {
  readonly dataDir: string
  readonly stop?: Pick<Stop, 'signal'> | undefined
  /** Returns what was done so far. Called once, at the end. */
  readonly action: () => OperatorAction
}

/** Runs the work and adds its result to the action list, even if the work is stopped or fails half-way. */
export async function noteAction<T> (context: CommandContext, { dataDir, stop, action }: Noted, work: () => Promise<T>): Promise<T> {
  let ended: OperatorAction['ended'] = 'failed'
  try {
    const result = await work()
    ended = stop?.signal.aborted === true ? 'stopped' : undefined
    return result
  } finally {
    addAction(context, dataDir, { ...action(), ...ended === undefined ? {} : { ended } })
  }
}

/**
 * Adds an action to the list. A failure only prints a message, because the action itself is done: for example, a prune that makes room on a full
 * disk.
 */
export function addAction (context: CommandContext, dataDir: string, action: OperatorAction): void {
  try {
    context.storeActions.add({ dataDir, action: { at: new Date().toISOString(), via: 'command', user: context.userName, ...action } })
  } catch (error) {
    context.stderr.write(`tierhook: the action was done, but could not be added to the list of actions, operator-actions.ndjson in ${dataDir} (${error instanceof Error ? error.message : String(error)})\n`)
  }
}

/** Returns the named deliveries, or else the filter. The customer's id is left out, because the action list outlives an erasure. */
export function chosen (ids: readonly string[], options: FilterOptions & { readonly all?: boolean | undefined, readonly after?: string | undefined, readonly olderThan?: number | undefined }): Pick<OperatorAction, 'deliveryIds' | 'filter'> {
  if (ids.length > 0) return { deliveryIds: ids.slice(0, maxIds) }
  const { type, verdict, customer, campaign, source, since, until, olderThan, after, all } = options
  const words = {
    all: all === true ? 'true' : undefined,
    eventType: type,
    verdict,
    customerId: customer === undefined ? undefined : '(left out)',
    campaignId: campaign,
    sourceId: source,
    since: timeOf(since),
    until: timeOf(until),
    olderThan: timeOf(olderThan),
    after
  }
  return { filter: Object.fromEntries(Object.entries(words).flatMap(([name, word]) => word === undefined ? [] : [[name, word.slice(0, maxCharacters)]])) }
}

function timeOf (time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString()
}
