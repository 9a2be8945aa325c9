import { Type, type Static } from '@sinclair/typebox'
import { oneOf, optional } from './optional.js'

/**
 * What a tier changes about an earning rule or a reward: with `MULTIPLY` its points are multiplied, with `CUSTOM` they are
 * replaced. The vendor's API description requires none of the keys.
 */
export const TierMappingSchema = Type.Object({
  type: optional(oneOf(['MULTIPLY', 'CUSTOM'], 'Whether the points are multiplied or replaced')),
  multiplier: optional(Type.Number({ description: 'What the points are multiplied by; goes with MULTIPLY' })),
  points: optional(Type.Integer({ description: 'The points instead; goes with CUSTOM' }))
}, { description: 'What the tier changes about an earning rule or a reward' })

export type TierMapping = Static<typeof TierMappingSchema>
