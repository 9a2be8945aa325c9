import { readFileSync } from 'node:fs'
import type { EventType } from '../../../src/voucherify/catalogue.js'

/** The event types of which a documented body is kept as data. */
export const documented = [
  'campaign.loyalty_tier.updated',
  'customer.loyalty.tier.downgraded',
  'customer.loyalty.tier.left',
  'customer.loyalty.tier.upgraded'
] as const satisfies readonly EventType[]

/** The bytes of a documented body. */
export function documentedBytes (type: (typeof documented)[number]): Buffer {
  return readFileSync(new URL(`../fixtures/${type}.json`, import.meta.url))
}

/** A documented body, parsed. */
export function documentedBody (type: (typeof documented)[number]): unknown {
  return JSON.parse(documentedBytes(type).toString())
}
