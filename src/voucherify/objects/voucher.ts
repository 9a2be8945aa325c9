import { type Static, Type } from '@sinclair/typebox'
import { DiscountSchema } from './discount.js'
import { LoyaltyCardSchema } from './loyalty-card.js'
import { anything, documented, oneOf, optional } from './optional.js'

/** The credit of a gift voucher; amounts are in hundredths of the currency's unit. */
export const GiftSchema = Type.Object({
  amount: documented(Type.Number({ description: 'The whole credit, in hundredths of the currency\'s unit' })),
  balance: documented(Type.Number({ description: 'The credit that is left, in hundredths of the currency\'s unit' })),
  effect: optional(oneOf(['APPLY_TO_ORDER', 'APPLY_TO_ITEMS'], 'What the credit is spent on'))
}, { description: 'The credit of a gift voucher' })

export type Gift = Static<typeof GiftSchema>

/** How often a voucher can be used, and how often it was. */
export const RedemptionSchema = Type.Object({
  quantity: documented(Type.Integer({ description: 'How often it can be used; null is without limit' }), { orNull: true }),
  redeemed_quantity: documented(Type.Integer({ description: 'How often it was used' }))
}, { description: 'How often the voucher can be used' })

/** How the codes of a campaign's vouchers are made. */
export const CodeConfigSchema = Type.Object({
  length: documented(Type.Number({ description: 'Characters in a code' })),
  prefix: documented(Type.String({ description: 'What each code starts with' })),
  postfix: documented(Type.String({ description: 'What each code ends with' })),
  charset: documented(Type.String({ description: 'The characters that a code is made of' })),
  pattern: documented(Type.String({ description: 'The shape of a code; # is any character of the charset' })),
  initial_count: optional(Type.Integer({ description: 'How many codes are made at first' })),
  // The documentation shows this key without describing it.
  min_desired: anything('How many codes there should be at least')
}, { description: 'How the codes are made' })

/** The voucher that a campaign hands out. */
export const VoucherSchema = Type.Object({
  type: documented(oneOf(['DISCOUNT_VOUCHER', 'LOYALTY_CARD', 'GIFT_VOUCHER'], 'What kind of voucher it is')),
  discount: optional(DiscountSchema),
  gift: optional(GiftSchema),
  loyalty_card: optional(LoyaltyCardSchema),
  redemption: documented(RedemptionSchema),
  code_config: documented(CodeConfigSchema)
}, { description: 'The voucher that the campaign hands out' })

export type Redemption = Static<typeof RedemptionSchema>
export type CodeConfig = Static<typeof CodeConfigSchema>
export type Voucher = Static<typeof VoucherSchema>
