import type { Delivery, EventPlace, NewDelivery } from '../../delivery/delivery.js'
import type { PendingAppend } from './append-queue.js'
import { refusal } from './commit-failure.js'
import { placeAt } from './packed-places.js'
import type { BatchResult } from './protocol.js'

export const TOO_LATE = 'The webhook could not be stored in time.'

export interface SettledAppends {
  /** On disk to stay, in order. */
  readonly stored: readonly Delivery[]
  /** Ids of those that are on disk and were refused meanwhile. */
  readonly gone: readonly string[]
}

/** Answers the appends of a commit that is on disk, and tells those that have to be removed again. */
export function settleAppends (appends: readonly PendingAppend[], { appends: results, eventPlaces }: Pick<BatchResult, 'appends' | 'eventPlaces'>): SettledAppends {
  const gone = new Set<string>()
  const stored: Delivery[] = []
  appends.forEach((pending, index) => {
    const result = results[index]
    if (typeof result !== 'number') return
    if (pending.abandoned) gone.add(pending.delivery.id)
    else stored.push(toDelivery(pending.delivery, result, placeAt(eventPlaces, index)))
  })
  appends.forEach((pending, index) => {
    const result = results[index]
    if (pending.abandoned || result === undefined) return
    if (typeof result === 'number') pending.resolve({ status: 'stored', id: pending.delivery.id, verdict: pending.delivery.verdict })
    // The first of the two was refused and goes: a copy of it must not be answered as held.
    else if (gone.has(result.id)) pending.reject(refusal(TOO_LATE))
    else pending.resolve({ status: 'duplicate', id: result.id, verdict: result.verdict })
  })
  return { stored, gone: [...gone] }
}

/** Key by key: to spread one object into another takes several times as long. */
function toDelivery (delivery: NewDelivery, sequence: number, eventPlace: EventPlace | undefined): Delivery {
  return {
    sequence,
    id: delivery.id,
    receivedAt: delivery.receivedAt,
    eventType: delivery.eventType,
    verdict: delivery.verdict,
    faults: delivery.faults,
    held: delivery.held,
    dedupeKey: delivery.dedupeKey,
    sourceObject: delivery.sourceObject,
    sourceId: delivery.sourceId,
    eventId: delivery.eventId,
    projectId: delivery.projectId,
    customerId: delivery.customerId,
    campaignId: delivery.campaignId,
    headers: delivery.headers,
    rawBody: delivery.rawBody,
    description: delivery.description,
    eventPlace,
    duplicates: 0
  }
}
