import { Type, type Static } from '@sinclair/typebox'

/** A tier that multiplies what a rule gives or a reward costs. */
export const MultiplySchema = Type.Object({
  type: Type.Literal('MULTIPLY', { description: 'The points are multiplied' }),
  multiplier: Type.Number({ description: 'What they are multiplied by' })
}, { description: 'Points that are multiplied' })

/** A tier that has its own number of points for a rule or a reward. */
export const CustomPointsSchema = Type.Object({
  type: Type.Literal('CUSTOM', { description: 'The points are replaced' }),
  points: Type.Integer({ description: 'The points instead' })
}, { description: 'Points that are replaced' })

/** What a tier changes about an earning rule or a reward; `type` tells the two apart. */
export const TierMappingSchema = Type.Union([MultiplySchema, CustomPointsSchema], {
  description: 'What the tier changes about an earning rule or a reward'
})

export type TierMapping = Static<typeof TierMappingSchema>
