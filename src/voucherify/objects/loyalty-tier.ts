import { type Static, Type } from '@sinclair/typebox'
import { dateOrDateTime, dateTime } from './date-time.js'
import { anyObject, documented, mapOf, oneOf, optional } from './optional.js'

/**
 * A tier's change to an earning rule or a reward: `MULTIPLY` multiplies its points, and `CUSTOM` replaces them. Voucherify's API description
 * requires none of the keys.
 */
export const TierMappingSchema = Type.Object({
  type: optional(oneOf(['MULTIPLY', 'CUSTOM'], 'Whether the points are multiplied or replaced')),
  multiplier: optional(Type.Number({ description: 'What the points are multiplied by; goes with MULTIPLY' })),
  points: optional(Type.Integer({ description: 'The points instead; goes with CUSTOM' }))
}, { description: 'What the tier changes about an earning rule or a reward' })

export type TierMapping = Static<typeof TierMappingSchema>

/** The range of points of a tier. The lowest tier may have no start, and the top tier has no end. */
export const PointsRangeSchema = Type.Object({
  from: optional(Type.Integer({ description: 'The fewest points for the tier' })),
  to: optional(Type.Integer({ description: 'The most points for the tier; the top tier has none' }))
}, { description: 'The points that the tier spans' })

/** How a tier is configured. */
export const TierConfigSchema = Type.Object({
  points: documented(PointsRangeSchema)
}, { description: 'How the tier is configured' })

/** The end of a customer's time in a tier. */
export const TierExpirationSchema = Type.Object({
  customer_id: documented(Type.String({ description: 'The customer, `cust_…`' })),
  campaign_id: documented(Type.String({ description: 'The campaign, `camp_…`' })),
  tier_id: documented(Type.String({ description: 'The tier, `ltr_…`' })),
  created_at: documented(dateTime('When the expiration was set')),
  start_date: optional(dateOrDateTime('When the customer\'s time in the tier starts')),
  expiration_date: optional(dateOrDateTime('When the customer\'s time in the tier ends')),
  updated_at: optional(dateTime('When the expiration was last changed'))
}, { description: 'When the customer\'s time in the tier ends' })

/** A loyalty tier. Only its id is required, because without it the tier cannot be identified. */
export const LoyaltyTierSchema = Type.Object({
  id: Type.String({ description: 'The tier, `ltr_…`' }),
  campaign_id: documented(Type.String({ description: 'The campaign, `camp_…`' })),
  name: documented(Type.String({ description: 'What the team calls the tier' })),
  metadata: documented(anyObject('The team\'s own fields'), { orNull: true }),
  created_at: documented(dateTime('When the tier was made')),
  config: documented(TierConfigSchema),
  points: documented(PointsRangeSchema),
  earning_rules: documented(mapOf(TierMappingSchema, 'What the tier changes about earning, by earning rule')),
  rewards: documented(mapOf(TierMappingSchema, 'What the tier changes about rewards, by reward')),
  object: documented(oneOf(['loyalty_tier'], 'What kind of object this is')),
  updated_at: optional(dateTime('When the tier was last changed')),
  expiration: optional(TierExpirationSchema)
}, { description: 'A loyalty tier' })

export type PointsRange = Static<typeof PointsRangeSchema>
export type TierExpiration = Static<typeof TierExpirationSchema>
export type LoyaltyTier = Static<typeof LoyaltyTierSchema>
