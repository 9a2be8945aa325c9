import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import type { FilterOptions } from './delivery-filter.js'
import type { Stop } from './stop.js'

/** Ids that one action is told with. */
export const mostIds = 200
/** Of what a person has typed, in characters. */
const mostCharacters = 500

export interface Noted {
  readonly dataDir: string
  readonly stop?: Pick<Stop, 'signal'> | undefined
  /** What was done so far. Asked for once, at the end. */
  readonly action: () => OperatorAction
}

/** Does the work, and puts what came of it on the list of what operators did, also where it was stopped or failed half-way. */
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

/** What was done is done, also where nothing more can be written: on a full disk, say, on which somebody makes room. */
export function addAction (context: CommandContext, dataDir: string, action: OperatorAction): void {
  try {
    context.storeActions.add({ dataDir, action: { at: new Date().toISOString(), via: 'command', user: context.userName, ...action } })
  } catch (error) {
    context.stderr.write(`tierhook: this could not be put on the list of what operators did, operator-actions.ndjson in ${dataDir} (${error instanceof Error ? error.message : String(error)})\n`)
  }
}

/** Deliveries that were named, or else the filter that chose them. Whose events they are stays out: the list outlives an erasure. */
export function chosen (ids: readonly string[], options: FilterOptions & { readonly all?: boolean | undefined, readonly after?: string | undefined, readonly olderThan?: number | undefined }): Pick<OperatorAction, 'deliveryIds' | 'filter'> {
  if (ids.length > 0) return { deliveryIds: ids.slice(0, mostIds) }
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
  return { filter: Object.fromEntries(Object.entries(words).flatMap(([name, word]) => word === undefined ? [] : [[name, word.slice(0, mostCharacters)]])) }
}

function timeOf (time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString()
}
