import { Type, type Static } from '@sinclair/typebox'
import { documented, oneOf, optional } from './optional.js'

/** The credit of a gift voucher; amounts are in hundredths of the currency's unit. */
export const GiftSchema = Type.Object({
  amount: documented(Type.Number({ description: 'The whole credit, in hundredths of the currency\'s unit' })),
  balance: documented(Type.Number({ description: 'The credit that is left, in hundredths of the currency\'s unit' })),
  effect: optional(oneOf(['APPLY_TO_ORDER', 'APPLY_TO_ITEMS'], 'What the credit is spent on'))
}, { description: 'The credit of a gift voucher' })

export type Gift = Static<typeof GiftSchema>
