import { Type, type Static } from '@sinclair/typebox'
import { dateTime } from '../objects/date-time.js'
import { CampaignSchema } from '../objects/campaign.js'
import { CustomerSchema } from '../objects/customer.js'
import { LoyaltyTierSchema } from '../objects/loyalty-tier.js'
import { documented, optional, present, type Words } from '../objects/optional.js'

// The webhook documentation requires every key of these bodies, and allows all but the time to be null. Voucherify's own API description
// requires neither customer nor campaign. So only a tier is required here, because an event is useless without one.

// Functions, so that no two events share a schema object and its title.
function oneTier (words: Words) {
  return Type.Object({
    customer: optional(CustomerSchema),
    campaign: optional(CampaignSchema),
    loyalty_tier: LoyaltyTierSchema,
    created_at: documented(dateTime('When it happened'))
  }, { ...words })
}

/** @param documentedTier the one of the two tiers that both sources of documentation require */
function twoTiers (words: Words, documentedTier: 'loyalty_tier_from' | 'loyalty_tier_to') {
  const tier = (key: string) => key === documentedTier ? documented(LoyaltyTierSchema, { orNull: true }) : optional(LoyaltyTierSchema)
  return Type.Intersect([
    Type.Object({
      customer: optional(CustomerSchema),
      campaign: optional(CampaignSchema),
      loyalty_tier_from: tier('loyalty_tier_from'),
      loyalty_tier_to: tier('loyalty_tier_to'),
      created_at: documented(dateTime('When it happened'))
    }),
    Type.Union([
      Type.Object({ loyalty_tier_from: present() }),
      Type.Object({ loyalty_tier_to: present() })
    ], { errorMessage: 'must have a loyalty_tier_from or a loyalty_tier_to' })
  ], { ...words })
}

/** Body of `customer.loyalty.tier.joined`. */
export const CustomerTierJoinedSchema = oneTier({
  title: 'Customer joined a loyalty tier',
  description: 'A customer who was in no tier came into one.'
})

/** Body of `customer.loyalty.tier.left`. */
export const CustomerTierLeftSchema = oneTier({
  title: 'Customer left a loyalty tier',
  description: 'A customer left a tier and is in none.'
})

/** Body of `customer.loyalty.tier.upgraded`. */
export const CustomerTierUpgradedSchema = twoTiers({
  title: 'Customer was upgraded to a higher loyalty tier',
  description: 'A customer moved up from one tier to another.'
}, 'loyalty_tier_to')

/** Body of `customer.loyalty.tier.downgraded`. */
export const CustomerTierDowngradedSchema = twoTiers({
  title: 'Customer was downgraded to a lower loyalty tier',
  description: 'A customer moved down from one tier to another.'
}, 'loyalty_tier_from')

/** Body of `customer.loyalty.tier.prolonged`. */
export const CustomerTierProlongedSchema = oneTier({
  title: 'Customer was kept in a loyalty tier',
  description: 'The campaign\'s rules kept a customer in a tier for which the customer no longer qualifies.'
})

export type CustomerTierJoined = Static<typeof CustomerTierJoinedSchema>
export type CustomerTierLeft = Static<typeof CustomerTierLeftSchema>
export type CustomerTierUpgraded = Static<typeof CustomerTierUpgradedSchema>
export type CustomerTierDowngraded = Static<typeof CustomerTierDowngradedSchema>
export type CustomerTierProlonged = Static<typeof CustomerTierProlongedSchema>
