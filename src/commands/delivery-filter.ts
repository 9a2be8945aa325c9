import { Option, type Command } from 'commander'
import { listableStatuses, type DeliveryFilter, type DeliveryQuery, type ListedDelivery } from '../delivery/listing.js'
import type { Operator } from '../delivery/operator.js'
import { knownForwarder } from './known-forwarder.js'
import { moment } from './moment.js'

export interface FilterOptions {
  readonly type?: string | undefined
  readonly verdict?: DeliveryFilter['verdict']
  readonly status?: DeliveryFilter['status']
  readonly forwarder?: string | undefined
  readonly customer?: string | undefined
  readonly campaign?: string | undefined
  readonly source?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** Adds options that filter deliveries by event type, ids and time. */
export function addFilterOptions (command: Command): Command {
  return command
    .option('--type <pattern>', 'only this event type, or all that match: * stands for any characters')
    .option('--customer <id>', 'only events about this customer')
    .option('--campaign <id>', 'only events about this campaign')
    .option('--source <id>', 'only what this webhook or distribution sent (wh_… or distr_…)')
    .option('--since <time>', 'only what came since then: 2026-01-31T08:00:00Z, or 2h for two hours ago', moment(() => Date.now()))
    .option('--until <time>', 'only what came before then', moment(() => Date.now()))
}

/** Adds options that filter deliveries by verdict, and by status at a forwarder. */
export function addStatusOptions (command: Command): Command {
  return command
    .addOption(new Option('--verdict <verdict>', 'only deliveries with this verdict').choices(['valid', 'invalid', 'unvalidated']))
    .addOption(new Option('--status <status>', 'only deliveries with this status at a forwarder').choices(listableStatuses))
    .option('--forwarder <name>', 'the forwarder whose status to filter by and to show (default: any)')
}

/** Whether at least one option filters deliveries by their own fields. */
export function isFiltered ({ type, verdict, customer, campaign, source, since, until }: FilterOptions): boolean {
  return [type, verdict, customer, campaign, source, since, until].some((value) => value !== undefined)
}

/**
 * Builds the filter from the options.
 * @throws UsageError if the store does not know the forwarder
 */
export async function toFilter (operator: Operator, options: FilterOptions): Promise<DeliveryFilter> {
  if (options.forwarder !== undefined) await knownForwarder(operator, options.forwarder)
  return {
    eventType: options.type,
    verdict: options.verdict,
    status: options.status,
    forwarder: options.forwarder,
    customerId: options.customer,
    campaignId: options.campaign,
    sourceId: options.source,
    since: options.since,
    until: options.until
  }
}

/** Yields the deliveries found by a query, page by page, oldest first. */
export async function * pagesOf (operator: Operator, query: Omit<DeliveryQuery, 'order'>): AsyncGenerator<{ readonly sequences: readonly number[], readonly last: ListedDelivery }> {
  for (let after = query.after ?? 0; ;) {
    const page = await operator.list({ ...query, order: 'oldest first', after })
    const last = page.at(-1)
    if (last === undefined) return
    yield { sequences: page.map(({ sequence }) => sequence), last }
    after = last.sequence
  }
}
