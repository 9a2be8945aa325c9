import { Type, type Static } from '@sinclair/typebox'
import { dateTime } from '../objects/date-time.js'
import { CampaignSchema } from '../objects/campaign.js'
import { CustomerSchema } from '../objects/customer.js'
import { LoyaltyTierSchema } from '../objects/loyalty-tier.js'
import { nullable } from '../objects/optional.js'

interface Words { readonly title: string, readonly description: string }

// A function each, so that no two events share a schema object and with it a title.
function oneTier (words: Words) {
  return Type.Object({
    customer: nullable(CustomerSchema),
    campaign: nullable(CampaignSchema),
    loyalty_tier: nullable(LoyaltyTierSchema),
    created_at: dateTime('When it happened')
  }, { ...words })
}

function twoTiers (words: Words) {
  return Type.Object({
    customer: nullable(CustomerSchema),
    campaign: nullable(CampaignSchema),
    loyalty_tier_from: nullable(LoyaltyTierSchema),
    loyalty_tier_to: nullable(LoyaltyTierSchema),
    created_at: dateTime('When it happened')
  }, { ...words })
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
})

/** Body of `customer.loyalty.tier.downgraded`. */
export const CustomerTierDowngradedSchema = twoTiers({
  title: 'Customer was downgraded to a lower loyalty tier',
  description: 'A customer moved down from one tier to another.'
})

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
