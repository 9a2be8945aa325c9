import { Type, type Static } from '@sinclair/typebox'
import { documented, oneOf, optional } from './optional.js'
import { UnitItemSchema, UnitSchema } from './unit.js'

/** Returns options for a key that the documentation requires of discounts of this type only. */
function ofType (value: string) {
  return { where: { key: 'type', value } }
}

function formula () {
  return optional(Type.String({ description: 'The formula that computes the discount' }))
}

/**
 * A discount, of any type. The documentation has a form for each `type`, and two for `UNIT`, in which a `units` array means several products.
 * Here they share one schema, because no key is certain and the list of types is open. Separate forms would only say which keys are absent.
 */
export const DiscountSchema = Type.Object({
  type: documented(oneOf(['AMOUNT', 'PERCENT', 'FIXED', 'UNIT'], 'A fixed sum off, a share of the price off, a new price, or units of products')),
  effect: optional(oneOf([
    'APPLY_TO_ORDER',
    'APPLY_TO_ITEMS',
    'APPLY_TO_ITEMS_PROPORTIONALLY',
    'APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY',
    'APPLY_TO_ITEMS_BY_QUANTITY',
    'ADD_MISSING_ITEMS',
    'ADD_NEW_ITEMS',
    'ADD_MANY_ITEMS',
    'ADD_SAME_ITEMS'
  ], 'What the discount is taken off, or how the products get into the order')),
  amount_off: documented(Type.Number({ description: 'AMOUNT: the sum, in hundredths of the currency\'s unit' }), ofType('AMOUNT')),
  amount_off_formula: formula(),
  percent_off: documented(Type.Number({ description: 'PERCENT: the share, in percent' }), ofType('PERCENT')),
  percent_off_formula: formula(),
  amount_limit: optional(Type.Number({ description: 'PERCENT: the most that the share may come to' })),
  fixed_amount: documented(Type.Number({ description: 'FIXED: the new price, in hundredths of the currency\'s unit' }), ofType('FIXED')),
  fixed_amount_formula: formula(),
  aggregated_amount_limit: optional(Type.Integer({ description: 'AMOUNT, PERCENT: the most that all items together may get' })),
  unit_type: optional(Type.String({ description: 'UNIT, one product: what a unit is' })),
  unit_off: optional(Type.Integer({ description: 'UNIT, one product: how many units are given away' })),
  unit_off_formula: formula(),
  product: optional(UnitItemSchema),
  sku: optional(UnitItemSchema),
  units: optional(Type.Array(UnitSchema, { description: 'UNIT, several products: each of them. Shown as null beside other types' })),
  is_dynamic: optional(Type.Boolean({ description: 'Whether a formula computes the discount' }))
}, { description: 'What a discount voucher takes off' })

export type Discount = Static<typeof DiscountSchema>
