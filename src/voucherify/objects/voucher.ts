import { Type, type Static } from '@sinclair/typebox'
import { DiscountSchema } from './discount.js'
import { GiftSchema } from './gift.js'
import { LoyaltyCardSchema } from './loyalty-card.js'
import { nullable, oneOf, optional } from './optional.js'

/** How often a voucher can be used, and how often it was. */
export const RedemptionSchema = Type.Object({
  quantity: nullable(Type.Integer({ description: 'How often it can be used; null is without limit' })),
  redeemed_quantity: Type.Integer({ description: 'How often it was used' })
}, { description: 'How often the voucher can be used' })

/** How the codes of a campaign's vouchers are made. */
export const CodeConfigSchema = Type.Object({
  length: Type.Number({ description: 'Characters in a code' }),
  prefix: Type.String({ description: 'What each code starts with' }),
  postfix: Type.String({ description: 'What each code ends with' }),
  charset: Type.String({ description: 'The characters that a code is made of' }),
  pattern: Type.String({ description: 'The shape of a code; # is any character of the charset' }),
  initial_count: optional(Type.Integer({ description: 'How many codes are made at first' }))
}, { description: 'How the codes are made' })

/** The voucher that a campaign hands out. */
export const VoucherSchema = Type.Object({
  type: oneOf(['DISCOUNT_VOUCHER', 'LOYALTY_CARD', 'GIFT_VOUCHER'], 'What kind of voucher it is'),
  discount: optional(DiscountSchema),
  gift: optional(GiftSchema),
  loyalty_card: optional(LoyaltyCardSchema),
  redemption: RedemptionSchema,
  code_config: CodeConfigSchema
}, { description: 'The voucher that the campaign hands out' })

export type Redemption = Static<typeof RedemptionSchema>
export type CodeConfig = Static<typeof CodeConfigSchema>
export type Voucher = Static<typeof VoucherSchema>
