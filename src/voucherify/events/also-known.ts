import { Type, type TUnsafe } from '@sinclair/typebox'
import { anyObject, optional, type Words } from '../objects/optional.js'

/** Returns the schema of an event of which only the name is known: any object. No key is required, and none counts as unknown. */
export function alsoKnownBody (words: Words): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>(Type.Object({}, { additionalProperties: true, ...words }))
}

/** Body of `voucher.loyalty_card.transaction.created`. */
export const LoyaltyCardTransactionSchema = Type.Unsafe<Record<string, unknown>>(Type.Object({
  holder_loyalty_tier: optional(anyObject('The loyalty tier of the card\'s holder'))
}, {
  additionalProperties: true,
  title: 'Transaction on a loyalty card',
  description: 'The points of a loyalty card changed.'
}))
