import { Type, type Static } from '@sinclair/typebox'
import { oneOf, optional } from './optional.js'

/** The team's own event that counts as a conversion. */
export const CustomEventSchema = Type.Object({
  id: optional(Type.String({ description: 'The event\'s definition at Voucherify' })),
  name: optional(Type.String({ description: 'What the team calls the event' }))
}, { description: 'The event that counts as a conversion' })

/** The campaign that a referee's reward comes from. */
export const RewardParentSchema = Type.Object({
  id: optional(Type.String({ description: 'The campaign, `camp_…`' })),
  name: optional(Type.String({ description: 'What the team calls the campaign' })),
  object: optional(oneOf(['CAMPAIGN', 'campaign'], 'What kind of object this is; shown in either case'))
}, { description: 'The campaign that the reward comes from' })

/** What a referred customer gets. */
export const RefereeRewardSchema = Type.Object({
  related_object_parent: optional(RewardParentSchema),
  type: optional(oneOf(['DISCOUNT_VOUCHER', 'LOYALTY_CARD', 'GIFT_VOUCHER'], 'What kind of voucher the reward is')),
  amount: optional(Type.Union([Type.String(), Type.Number()], {
    description: 'The reward\'s worth: documented as a string, a number is as likely'
  }))
}, { description: 'What a referred customer gets' })

/** How a referral campaign counts and rewards. */
export const ReferralProgramSchema = Type.Object({
  conversion_event_type: optional(oneOf(['redemption', 'custom_event'], 'What counts as a conversion')),
  custom_event: optional(CustomEventSchema),
  referee_reward: optional(RefereeRewardSchema)
}, { description: 'How a referral campaign counts and rewards' })

export type ReferralProgram = Static<typeof ReferralProgramSchema>
