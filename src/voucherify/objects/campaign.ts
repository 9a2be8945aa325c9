import { Type, type Static } from '@sinclair/typebox'
import { CategorySchema } from './category.js'
import { dateOrDateTime, dateTime } from './date-time.js'
import { anyObject, anything, oneOf, optional } from './optional.js'
import { ReferralProgramSchema } from './referral-program.js'
import { VoucherSchema } from './voucher.js'

/** The campaign of an event, in Voucherify's simplified form. The documentation marks no key as required. */
export const CampaignSchema = Type.Object({
  id: optional(Type.String({ description: 'The campaign, `camp_…`' })),
  name: optional(Type.String({ description: 'What the team calls the campaign' })),
  campaign_type: optional(Type.String({ description: 'What kind of campaign it is, as in LOYALTY_PROGRAM' })),
  type: optional(oneOf(['AUTO_UPDATE', 'STATIC', 'STANDALONE'], 'Whether customers can be added later')),
  is_referral_code: optional(Type.Boolean({ description: 'Whether its codes are referral codes' })),
  voucher: optional(VoucherSchema),
  auto_join: optional(Type.Boolean({ description: 'Whether customers join by themselves' })),
  join_once: optional(Type.Boolean({ description: 'Whether a customer joins no more than once' })),
  active: optional(Type.Boolean({ description: 'Whether the campaign is switched on' })),
  referral_program: optional(ReferralProgramSchema),
  category_id: optional(Type.String({ description: 'The category, `cat_…`' })),
  category: optional(Type.String({ description: 'The category\'s name' })),
  categories: optional(Type.Array(CategorySchema, { description: 'The categories' })),
  metadata: optional(anyObject('The team\'s own fields')),
  start_date: optional(dateOrDateTime('When the campaign starts')),
  expiration_date: optional(dateOrDateTime('When the campaign ends')),
  description: optional(Type.String({ description: 'The team\'s own words about the campaign' })),
  created_at: optional(dateTime('When the campaign was made')),
  updated_at: optional(dateTime('When the campaign was last changed')),
  object: optional(oneOf(['campaign'], 'What kind of object this is')),
  // The documentation shows these keys without describing them.
  creation_status: anything('How far Voucherify is with making the campaign'),
  protected: anything('Whether the campaign is protected'),
  loyalty_tiers_expiration: anything('When the members\' tiers expire')
}, { description: 'The campaign that the event belongs to' })

export type Campaign = Static<typeof CampaignSchema>
