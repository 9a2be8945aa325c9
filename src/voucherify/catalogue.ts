import type { Static, TSchema } from '@sinclair/typebox'
import { envelopeOf } from './envelope.js'
import { CampaignTierCreatedSchema, CampaignTierDeletedSchema, CampaignTierUpdatedSchema } from './events/campaign-tier.js'
import {
  CustomerTierDowngradedSchema,
  CustomerTierJoinedSchema,
  CustomerTierLeftSchema,
  CustomerTierProlongedSchema,
  CustomerTierUpgradedSchema
} from './events/customer-tier.js'

/** What sends an event: a distribution, or the webhook of the project settings. */
export type EventKind = 'distribution' | 'project'

// Voucherify's documentation names an event in upper case, under EVENTS.
function entry<const T extends string, const K extends EventKind, B extends TSchema> (type: T, kind: K, bodySchema: B) {
  return {
    type,
    documentationName: `EVENTS.${type.toUpperCase()}`,
    kind,
    bodySchema,
    envelopeSchema: envelopeOf(bodySchema, type)
  } as const
}

/** The loyalty tier events that Voucherify documents, each with the schemas of its body and of the envelope around it. */
export const catalogue = [
  entry('customer.loyalty.tier.joined', 'distribution', CustomerTierJoinedSchema),
  entry('customer.loyalty.tier.left', 'distribution', CustomerTierLeftSchema),
  entry('customer.loyalty.tier.upgraded', 'distribution', CustomerTierUpgradedSchema),
  entry('customer.loyalty.tier.downgraded', 'distribution', CustomerTierDowngradedSchema),
  entry('customer.loyalty.tier.prolonged', 'distribution', CustomerTierProlongedSchema),
  entry('campaign.loyalty_tier.created', 'project', CampaignTierCreatedSchema),
  entry('campaign.loyalty_tier.updated', 'project', CampaignTierUpdatedSchema),
  entry('campaign.loyalty_tier.deleted', 'project', CampaignTierDeletedSchema)
] as const

export type CatalogueEntry = (typeof catalogue)[number]
/** The dotted types of the events in the catalogue. */
export type EventType = CatalogueEntry['type']
/** The body of an event. */
export type EventBody<T extends EventType = EventType> = Static<Extract<CatalogueEntry, { type: T }>['bodySchema']>
/** The envelope of an event, with its body as `data`. */
export type EventEnvelope<T extends EventType = EventType> = Static<Extract<CatalogueEntry, { type: T }>['envelopeSchema']>

/** The keys at the root of an event's body that no envelope has: they tell a bare body from an envelope. */
export const EVENT_KEYS = ['customer', 'campaign', 'loyalty_tier', 'loyalty_tier_from', 'loyalty_tier_to'] as const

const byType = new Map<string, CatalogueEntry>(catalogue.map(event => [event.type, event]))
const byName = new Map<string, CatalogueEntry>(
  catalogue.flatMap(event => [[event.type, event], [event.documentationName.toLowerCase(), event]])
)

/** The event of this dotted type, letter for letter, or undefined where the catalogue has none. */
export function findEvent (type: string): CatalogueEntry | undefined {
  return byType.get(type)
}

/** The event that a person means by a dotted type or by the documentation's name, in any letter case. */
export function findEventByName (name: string): CatalogueEntry | undefined {
  return byName.get(name.toLowerCase())
}
