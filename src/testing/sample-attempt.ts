import { v7 as uuidv7 } from 'uuid'
import type { Delivery } from '../delivery/delivery.js'
import type { Attempt } from '../delivery/forwarder.js'
import type { EventType } from '../voucherify/catalogue.js'
import { readEnvelope, readSubject } from '../voucherify/identify.js'
import { sampleEnvelope } from '../voucherify/samples.js'

export interface SampleDeliveryOptions extends Partial<Omit<Delivery, 'eventType'>> {
  /** An event type with a schema; an upgrade if absent. */
  readonly eventType?: EventType
  /** Another number gives another event, of another customer. */
  readonly index?: number
}

/** Makes an invented delivery as the journal hands it out: valid, in its envelope, and with the facts that the envelope contains. */
export function sampleDelivery ({ eventType = 'customer.loyalty.tier.upgraded', index = 0, ...given }: SampleDeliveryOptions = {}): Delivery {
  const id = uuidv7()
  const envelope = sampleEnvelope(eventType, { index, now: new Date() })
  const facts = readEnvelope({ ...envelope })
  return {
    id,
    sequence: index + 1,
    receivedAt: Date.now(),
    eventType,
    verdict: 'valid',
    faults: [],
    quarantined: false,
    dedupeKey: null,
    sourceObject: facts?.sourceObject ?? null,
    sourceId: facts?.sourceId ?? null,
    eventId: facts?.eventId ?? null,
    projectId: facts?.projectId ?? null,
    ...readSubject(envelope.data),
    headers: { 'content-type': 'application/json' },
    rawBody: Buffer.from(JSON.stringify(envelope)),
    duplicates: 0,
    ...given
  }
}

/** Makes the first attempt at an invented delivery. */
export function sampleAttempt (given: SampleDeliveryOptions = {}): Attempt {
  return { delivery: sampleDelivery(given), number: 1, replay: false }
}
