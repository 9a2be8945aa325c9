import type { Static, TSchema } from '@sinclair/typebox'
import { envelopeOf } from './envelope.js'
import { alsoKnownBody, LoyaltyCardTransactionSchema } from './events/also-known.js'
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

// Voucherify's documentation names events in upper case, with the prefix EVENTS.
function entry<const T extends string, const K extends EventKind, B extends TSchema, const A extends boolean> (type: T, kind: K, bodySchema: B, alsoKnown: A) {
  return {
    type,
    documentationName: `EVENTS.${type.toUpperCase()}`,
    kind,
    bodySchema,
    envelopeSchema: envelopeOf(bodySchema, type),
    /** Whether little more than the event's name is known. The schema accepts any object. */
    alsoKnown
  } as const
}

function tierEvent<const T extends string, const K extends EventKind, B extends TSchema> (type: T, kind: K, bodySchema: B) {
  return entry(type, kind, bodySchema, false)
}

function alsoKnown<const T extends string, const K extends EventKind> (type: T, kind: K, title: string, description: string) {
  return entry(type, kind, alsoKnownBody({ title, description }), true)
}

/** The loyalty tier events that Voucherify documents, each with the schemas of its body and its envelope. */
export const tierEvents = [
  tierEvent('customer.loyalty.tier.joined', 'distribution', CustomerTierJoinedSchema),
  tierEvent('customer.loyalty.tier.left', 'distribution', CustomerTierLeftSchema),
  tierEvent('customer.loyalty.tier.upgraded', 'distribution', CustomerTierUpgradedSchema),
  tierEvent('customer.loyalty.tier.downgraded', 'distribution', CustomerTierDowngradedSchema),
  tierEvent('customer.loyalty.tier.prolonged', 'distribution', CustomerTierProlongedSchema),
  tierEvent('campaign.loyalty_tier.created', 'project', CampaignTierCreatedSchema),
  tierEvent('campaign.loyalty_tier.updated', 'project', CampaignTierUpdatedSchema),
  tierEvent('campaign.loyalty_tier.deleted', 'project', CampaignTierDeletedSchema)
] as const

/** Events about points and rewards that loyalty teams usually send to the same URL. */
const otherLoyaltyEvents = [
  entry('voucher.loyalty_card.transaction.created', 'project', LoyaltyCardTransactionSchema, true),
  alsoKnown('voucher.loyalty_card.points_added', 'project', 'Points were added to a loyalty card', 'A loyalty card got points.'),
  alsoKnown('voucher.loyalty_card.points_expired', 'project', 'Points of a loyalty card expired', 'A loyalty card lost points that expired.'),
  alsoKnown('voucher.loyalty_card.pending_points.added', 'project', 'Pending points were added to a loyalty card', 'A loyalty card got points that are pending.'),
  alsoKnown('voucher.loyalty_card.pending_points.updated', 'project', 'Pending points of a loyalty card were changed', 'The pending points of a loyalty card changed.'),
  // The same event, under the name in Voucherify's envelope.
  alsoKnown('loyalty_card.pending_points.updated', 'project', 'Pending points were changed', 'The pending points of a loyalty card changed. Voucherify leaves the prefix of this name out.'),
  alsoKnown('voucher.loyalty_card.pending_points.activated', 'project', 'Pending points of a loyalty card were activated', 'The pending points of a loyalty card can be spent now.'),
  alsoKnown('voucher.loyalty_card.pending_points.canceled', 'project', 'Pending points of a loyalty card were canceled', 'The pending points of a loyalty card were taken back.'),
  alsoKnown('customer.rewarded', 'project', 'Customer was rewarded', 'A customer got a reward.'),
  alsoKnown('customer.rewarded.loyalty_points', 'project', 'Customer was rewarded with points', 'A customer got loyalty points as a reward.'),
  alsoKnown('customer.voucher.loyalty_card.points_added', 'distribution', 'Points were added to a customer\'s loyalty card', 'A customer\'s loyalty card got points.'),
  alsoKnown('customer.voucher.loyalty_card.points_expired', 'distribution', 'Points of a customer\'s loyalty card expired', 'A customer\'s loyalty card lost points that expired.'),
  alsoKnown('customer.voucher.loyalty_card.pending_points.added', 'distribution', 'Pending points were added to a customer\'s loyalty card', 'A customer\'s loyalty card got points that are pending.'),
  alsoKnown('customer.voucher.loyalty_card.pending_points.updated', 'distribution', 'Pending points of a customer\'s loyalty card were changed', 'The pending points of a customer\'s loyalty card changed.'),
  alsoKnown('customer.voucher.loyalty_card.pending_points.activated', 'distribution', 'Pending points of a customer\'s loyalty card were activated', 'The pending points of a customer\'s loyalty card can be spent now.'),
  alsoKnown('customer.voucher.loyalty_card.pending_points.canceled', 'distribution', 'Pending points of a customer\'s loyalty card were canceled', 'The pending points of a customer\'s loyalty card were taken back.'),
  alsoKnown('customer.reward_redemptions.completed', 'distribution', 'Customer\'s reward redemption was completed', 'A customer\'s redemption of a reward was completed.')
] as const

/** Every event that has a schema. */
export const catalogue = [...tierEvents, ...otherLoyaltyEvents] as const

export type CatalogueEntry = (typeof catalogue)[number]
/** The dotted event types of the catalogue. */
export type EventType = CatalogueEntry['type']
/** The body of an event. */
export type EventBody<T extends EventType = EventType> = Static<Extract<CatalogueEntry, { type: T }>['bodySchema']>
/** The envelope of an event, with its body as `data`. */
export type EventEnvelope<T extends EventType = EventType> = Static<Extract<CatalogueEntry, { type: T }>['envelopeSchema']>

/** Keys at the root of an event's body that no envelope has. They distinguish a bare body from an envelope. */
export const EVENT_KEYS = ['customer', 'campaign', 'loyalty_tier', 'loyalty_tier_from', 'loyalty_tier_to'] as const

const byType = new Map<string, CatalogueEntry>(catalogue.map(event => [event.type, event]))
const byName = new Map<string, CatalogueEntry>(
  catalogue.flatMap(event => [[event.type, event], [event.documentationName.toLowerCase(), event]])
)

/** Returns the event of this dotted type, which must match exactly; `undefined` if the catalogue has none. */
export function findEvent (type: string): CatalogueEntry | undefined {
  return byType.get(type)
}

/** Returns the event that a person means by a dotted type or by the documentation's name, in upper or lower case. */
export function findEventByName (name: string): CatalogueEntry | undefined {
  return byName.get(name.toLowerCase())
}
