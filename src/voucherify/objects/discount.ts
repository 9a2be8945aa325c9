import { Type, type Static, type TString } from '@sinclair/typebox'
import { oneOf, optional } from './optional.js'
import { UnitDiscountSchema, UnitsDiscountSchema } from './unit-discount.js'

const isDynamic = Type.Boolean({ description: 'Whether a formula computes the discount' })

function formula (): TString {
  return Type.String({ description: 'The formula that computes the discount' })
}

/** A discount of a fixed sum. */
export const AmountDiscountSchema = Type.Object({
  type: Type.Literal('AMOUNT', { description: 'A fixed sum off' }),
  amount_off: Type.Number({ description: 'The sum, in hundredths of the currency\'s unit' }),
  amount_off_formula: optional(formula()),
  aggregated_amount_limit: optional(Type.Integer({ description: 'The most that all items together may get' })),
  effect: optional(oneOf([
    'APPLY_TO_ORDER',
    'APPLY_TO_ITEMS',
    'APPLY_TO_ITEMS_PROPORTIONALLY',
    'APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY',
    'APPLY_TO_ITEMS_BY_QUANTITY'
  ], 'What the discount is taken off')),
  is_dynamic: optional(isDynamic)
}, { description: 'A discount of a fixed sum' })

/** A discount of a share of the price. */
export const PercentDiscountSchema = Type.Object({
  type: Type.Literal('PERCENT', { description: 'A share of the price off' }),
  percent_off: Type.Number({ description: 'The share, in percent' }),
  percent_off_formula: optional(formula()),
  amount_limit: optional(Type.Number({ description: 'The most that the share may come to' })),
  aggregated_amount_limit: optional(Type.Integer({ description: 'The most that all items together may get' })),
  effect: optional(oneOf(['APPLY_TO_ORDER', 'APPLY_TO_ITEMS'], 'What the discount is taken off')),
  is_dynamic: optional(isDynamic)
}, { description: 'A discount of a share of the price' })

/** A discount that sets the price. */
export const FixedDiscountSchema = Type.Object({
  type: Type.Literal('FIXED', { description: 'A new price' }),
  fixed_amount: Type.Number({ description: 'The new price, in hundredths of the currency\'s unit' }),
  fixed_amount_formula: optional(formula()),
  effect: optional(oneOf(['APPLY_TO_ORDER', 'APPLY_TO_ITEMS'], 'What gets the new price')),
  is_dynamic: optional(isDynamic)
}, { description: 'A discount that sets the price' })

/** One of the five discounts. `type` tells them apart; where it is UNIT, a `units` array means several products. */
export const DiscountSchema = Type.Union([
  AmountDiscountSchema,
  PercentDiscountSchema,
  FixedDiscountSchema,
  UnitDiscountSchema,
  UnitsDiscountSchema
], { description: 'What a discount voucher takes off' })

export type Discount = Static<typeof DiscountSchema>
