import { v7 as uuidv7 } from 'uuid'
import type { Delivery, NewDelivery } from '../../src/delivery/delivery.js'
import type { Appended, Journal } from '../../src/delivery/journal.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'

/** Makes a delivery to be appended to the journal, valid unless the overrides change that. */
export function sampleNewDelivery (overrides: Partial<NewDelivery> & { readonly index?: number } = {}): NewDelivery {
  const { index = 0, ...rest } = overrides
  const envelope = sampleEnvelope('customer.loyalty.tier.upgraded', { index, now: new Date('2026-01-31T00:00:00Z') })
  const id = uuidv7()
  return {
    id,
    receivedAt: Date.now(),
    eventType: 'customer.loyalty.tier.upgraded',
    verdict: 'valid',
    faults: [],
    quarantined: false,
    dedupeKey: `send-out:${id}`,
    sourceObject: 'distribution',
    sourceId: 'distr_1',
    eventId: `ev_${index}`,
    projectId: 'proj_1',
    customerId: `cust_${index}`,
    campaignId: 'camp_1',
    headers: { 'content-type': 'application/json' },
    rawBody: Buffer.from(JSON.stringify(envelope)),
    ...rest
  }
}

/** Makes a delivery as the journal would hand it out. */
export function sampleDelivery (overrides: Partial<Delivery> & { readonly index?: number } = {}): Delivery {
  const { sequence = 1, duplicates = 0, ...rest } = overrides
  return { ...sampleNewDelivery(rest), sequence, duplicates }
}

/** Appends this many deliveries, 250 at once, because each append must be answered within seconds, even on a slow machine. */
export async function appendMany (journal: Pick<Journal, 'append'>, count: number, overrides: Partial<NewDelivery> = {}): Promise<Appended[]> {
  const appended: Appended[] = []
  for (let from = 0; from < count; from += 250) {
    const slice = Array.from({ length: Math.min(250, count - from) }, (_, index) => sampleNewDelivery({ index: from + index, ...overrides }))
    appended.push(...await Promise.all(slice.map(async (delivery) => await journal.append(delivery))))
  }
  return appended
}
