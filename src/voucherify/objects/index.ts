export { CampaignSchema, type Campaign } from './campaign.js'
export { CategorySchema, type Category } from './category.js'
export { CustomerSchema, type Customer } from './customer.js'
export { DiscountSchema, type Discount } from './discount.js'
export type { DocumentedKey, DocumentedKeywords } from './documented-keywords.js'
export { GiftSchema, type Gift } from './voucher.js'
export { ExpirationRulesSchema, LoyaltyCardSchema, type ExpirationRules, type LoyaltyCard } from './loyalty-card.js'
export {
  LoyaltyTierSchema, PointsRangeSchema, TierConfigSchema, TierExpirationSchema,
  type LoyaltyTier, type PointsRange, type TierExpiration
} from './loyalty-tier.js'
export {
  CustomEventSchema, RefereeRewardSchema, ReferralProgramSchema, RewardParentSchema, type ReferralProgram
} from './referral-program.js'
export { TierMappingSchema, type TierMapping } from './loyalty-tier.js'
export { UnitItemSchema, UnitSchema, type Unit, type UnitItem } from './unit.js'
export { CodeConfigSchema, RedemptionSchema, VoucherSchema, type CodeConfig, type Redemption, type Voucher } from './voucher.js'
