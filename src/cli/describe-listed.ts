import type { ForwarderStanding, ListedDelivery } from '../delivery/operator.js'
import { shortTime } from './times.js'

function iso (time: number): string {
  return new Date(time).toISOString()
}

/** A delivery as a JSON object, times in ISO 8601. */
export function listedJson ({ receivedAt, forwarders, ...rest }: ListedDelivery): Record<string, unknown> {
  const { sequence, id, ...others } = rest
  return { id, sequence, receivedAt: iso(receivedAt), ...others, forwarders: forwarders.map(standingJson) }
}

export function standingJson ({ dueAt, diedAt, ...rest }: ForwarderStanding): Record<string, unknown> {
  return { ...rest, ...dueAt === undefined ? {} : { dueAt: iso(dueAt) }, ...diedAt === undefined ? {} : { diedAt: iso(diedAt) } }
}

/** Where a delivery stands, in a few words: one where all forwarders agree, else what is not as it should be. */
export function standingWords (delivery: ListedDelivery, forwarder?: string): string {
  if (delivery.hold === 'quarantined' || delivery.hold === 'damaged' || delivery.hold === 'erased') return delivery.hold
  const standings = delivery.forwarders.filter(each => forwarder === undefined || each.forwarder === forwarder)
  const words = new Set(standings.map(({ standing }) => standing))
  words.delete('earlier')
  if (words.size === 0) return standings.length === 0 ? '-' : 'earlier'
  const [only] = words
  if (words.size === 1 && only !== undefined) return only
  return standings
    .filter(({ standing }) => standing !== 'forwarded' && standing !== 'earlier')
    .map(({ forwarder, standing }) => `${forwarder} ${standing}`)
    .join(', ')
}

export const listedColumns = ['ID', 'RECEIVED', 'TYPE', 'VERDICT', 'STATE', 'CUSTOMER'] as const

export function listedRow (delivery: ListedDelivery, forwarder?: string): readonly string[] {
  const { id, receivedAt, eventType, verdict, customerId } = delivery
  return [id, shortTime(receivedAt), eventType, verdict, standingWords(delivery, forwarder), customerId ?? '-']
}
