import { Type, type Static } from '@sinclair/typebox'
import { documented, oneOf, optional } from './optional.js'

/** When the points of a loyalty card expire: after a number of months, or on a fixed day of the year. */
export const ExpirationRulesSchema = Type.Object({
  period_type: documented(oneOf(['MONTH', 'FIXED_DAY_OF_YEAR'], 'How the end is counted')),
  period_value: optional(Type.Integer({ description: 'Months until the points expire; goes with MONTH' })),
  rounding_type: optional(oneOf(
    ['END_OF_MONTH', 'END_OF_QUARTER', 'END_OF_HALF_YEAR', 'END_OF_YEAR', 'PARTICULAR_MONTH'],
    'Where the end is moved to'
  )),
  rounding_value: optional(Type.Integer({ description: 'Goes with a rounding_type' })),
  fixed_month: optional(Type.Integer({ minimum: 1, maximum: 12, description: 'Month of the year; goes with FIXED_DAY_OF_YEAR' })),
  fixed_day: optional(Type.Integer({ minimum: 1, maximum: 31, description: 'Day of the month; goes with FIXED_DAY_OF_YEAR' }))
}, { description: 'When the points expire' })

/** The loyalty card that a member of the campaign gets. */
export const LoyaltyCardSchema = Type.Object({
  points: documented(Type.Integer({ description: 'Points that the card starts with' })),
  expiration_rules: optional(ExpirationRulesSchema)
}, { description: 'The loyalty card that a member gets' })

export type ExpirationRules = Static<typeof ExpirationRulesSchema>
export type LoyaltyCard = Static<typeof LoyaltyCardSchema>
