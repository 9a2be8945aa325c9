import { Type, type Static } from '@sinclair/typebox'
import { dateTime } from './date-time.js'
import { anyObject, mapOf, nullable, optional } from './optional.js'
import { TierMappingSchema } from './tier-mapping.js'

/** The points that a tier spans. The lowest tier may lack its start, the top tier has no end. */
export const PointsRangeSchema = Type.Object({
  from: optional(Type.Integer({ description: 'The fewest points for the tier' })),
  to: optional(Type.Integer({ description: 'The most points for the tier; the top tier has none' }))
}, { description: 'The points that the tier spans' })

/** How a tier is configured. */
export const TierConfigSchema = Type.Object({
  points: PointsRangeSchema
}, { description: 'How the tier is configured' })

/** When a customer's time in a tier ends. */
export const TierExpirationSchema = Type.Object({
  customer_id: Type.String({ description: 'The customer, `cust_…`' }),
  campaign_id: Type.String({ description: 'The campaign, `camp_…`' }),
  tier_id: Type.String({ description: 'The tier, `ltr_…`' }),
  created_at: dateTime('When the expiration was set'),
  start_date: optional(dateTime('When the customer\'s time in the tier starts')),
  expiration_date: optional(dateTime('When the customer\'s time in the tier ends')),
  updated_at: optional(dateTime('When the expiration was last changed'))
}, { description: 'When the customer\'s time in the tier ends' })

/** A loyalty tier. */
export const LoyaltyTierSchema = Type.Object({
  id: Type.String({ description: 'The tier, `ltr_…`' }),
  campaign_id: Type.String({ description: 'The campaign, `camp_…`' }),
  name: Type.String({ description: 'What the team calls the tier' }),
  metadata: nullable(anyObject('The team\'s own fields')),
  created_at: dateTime('When the tier was made'),
  config: TierConfigSchema,
  points: PointsRangeSchema,
  earning_rules: mapOf(TierMappingSchema, 'What the tier changes about earning, by earning rule'),
  rewards: mapOf(TierMappingSchema, 'What the tier changes about rewards, by reward'),
  object: Type.Literal('loyalty_tier', { description: 'What kind of object this is' }),
  updated_at: optional(dateTime('When the tier was last changed')),
  expiration: optional(TierExpirationSchema)
}, { description: 'A loyalty tier' })

export type PointsRange = Static<typeof PointsRangeSchema>
export type TierExpiration = Static<typeof TierExpirationSchema>
export type LoyaltyTier = Static<typeof LoyaltyTierSchema>
