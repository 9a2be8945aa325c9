import { Type, type Static } from '@sinclair/typebox'
import { CampaignSchema } from '../objects/campaign.js'
import { LoyaltyTierSchema } from '../objects/loyalty-tier.js'
import { optional, present, type Words } from '../objects/optional.js'

// The documentation requires neither key, but a body without both belongs to another event.
function campaignTier (words: Words) {
  return Type.Intersect([
    Type.Object({
      campaign: optional(CampaignSchema),
      loyalty_tier: optional(LoyaltyTierSchema)
    }),
    Type.Union([
      Type.Object({ campaign: present() }),
      Type.Object({ loyalty_tier: present() })
    ], { errorMessage: 'must have a campaign or a loyalty_tier' })
  ], { ...words })
}

/** Body of `campaign.loyalty_tier.created`. */
export const CampaignTierCreatedSchema = campaignTier({
  title: 'Loyalty tier was created',
  description: 'The team added a tier to a loyalty campaign.'
})

/** Body of `campaign.loyalty_tier.updated`. */
export const CampaignTierUpdatedSchema = campaignTier({
  title: 'Loyalty tier was updated',
  description: 'The team changed a tier of a loyalty campaign.'
})

/** Body of `campaign.loyalty_tier.deleted`. */
export const CampaignTierDeletedSchema = campaignTier({
  title: 'Loyalty tier was deleted',
  description: 'The team removed a tier from a loyalty campaign.'
})

export type CampaignTierCreated = Static<typeof CampaignTierCreatedSchema>
export type CampaignTierUpdated = Static<typeof CampaignTierUpdatedSchema>
export type CampaignTierDeleted = Static<typeof CampaignTierDeletedSchema>
