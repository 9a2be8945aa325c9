import type { ForwarderStatus, ListedDelivery } from '../delivery/listing.js'
import { writeColumns, type Cell } from '../terminal/columns.js'
import { shortenIds, shortSenderId } from '../terminal/short.js'
import { formatAgo, shortTime } from '../terminal/times.js'
import type { CommandContext } from './context.js'

function iso (time: number): string {
  return new Date(time).toISOString()
}

/** Returns a delivery as a JSON object with ISO 8601 times. */
export function listedJson ({ receivedAt, forwarders, ...rest }: ListedDelivery): Record<string, unknown> {
  const { sequence, id, ...others } = rest
  return { id, sequence, receivedAt: iso(receivedAt), ...others, forwarders: forwarders.map(statusJson) }
}

export function statusJson ({ dueAt, diedAt, ...rest }: ForwarderStatus): Record<string, unknown> {
  return { ...rest, ...dueAt === undefined ? {} : { dueAt: iso(dueAt) }, ...diedAt === undefined ? {} : { diedAt: iso(diedAt) } }
}

/** Describes a delivery's status in a few words: one status if all forwarders agree, else each forwarder that has not got it yet, with its status. */
export function statusWords (delivery: ListedDelivery, forwarder?: string): string {
  if (delivery.state === 'quarantined' || delivery.state === 'damaged' || delivery.state === 'erased') return delivery.state
  const statuses = delivery.forwarders.filter(each => forwarder === undefined || each.forwarder === forwarder)
  const words = new Set(statuses.map(({ status }) => status))
  words.delete('before-start')
  if (words.size === 0) return statuses.length === 0 ? '-' : 'before-start'
  const [only] = words
  if (words.size === 1 && only !== undefined) return only
  return statuses
    .filter(({ status }) => status !== 'forwarded' && status !== 'before-start')
    .map(({ forwarder, status }) => `${forwarder} ${status}`)
    .join(', ')
}

/** How a list shows ids and times: short and relative in a terminal, exact for a program that reads the output. */
export interface ListForm {
  readonly id: (id: string) => string
  readonly customer: (id: string | null) => string
  readonly time: (time: number) => string
}

export function listForm ({ stdout }: Pick<CommandContext, 'stdout'>, ids: readonly string[], now = Date.now()): ListForm {
  if (stdout.isTTY !== true) return { id: (id) => id, customer: (id) => id ?? '-', time: shortTime }
  return { id: shortenIds(ids), customer: (id) => id === null ? '-' : shortSenderId(id), time: (time) => formatAgo(now - time) }
}

/** The least width, in characters, to which an event type may be cut. */
export const MIN_TYPE_WIDTH = 18

/** Prints deliveries as a table. */
export function writeListed (context: CommandContext, listed: readonly ListedDelivery[], forwarder?: string): void {
  const form = listForm(context, listed.map(({ id }) => id))
  writeColumns(context.stdout, context, [
    { title: 'ID' }, { title: 'RECEIVED', dropped: 1 }, { title: 'TYPE', least: MIN_TYPE_WIDTH, keepsEnd: true }, { title: 'VERDICT', dropped: 3 }, { title: 'STATUS', least: 14 }, { title: 'CUSTOMER', dropped: 2 }
  ], listed.map((delivery) => [
    form.id(delivery.id), form.time(delivery.receivedAt), delivery.eventType, delivery.verdict, statusCell(statusWords(delivery, forwarder)), form.customer(delivery.customerId)
  ]))
}

function statusCell (words: string): Cell {
  if (/dead|damaged/.test(words)) return { text: words, colour: 'red' }
  if (/quarantined|retrying/.test(words)) return { text: words, colour: 'yellow' }
  return words === 'forwarded' ? { text: words, colour: 'green' } : words
}
