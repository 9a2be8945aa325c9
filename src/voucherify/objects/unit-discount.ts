import { Type, type Static } from '@sinclair/typebox'
import { oneOf, optional } from './optional.js'

/** The product, or the variant of one, that a unit discount gives away. */
export const UnitItemSchema = Type.Object({
  id: Type.String({ description: 'The item at Voucherify' }),
  name: Type.String({ description: 'What the item is called' }),
  source_id: optional(Type.String({ description: 'The item in the team\'s own system' }))
}, { description: 'The item that is given away' })

/** One line of a discount that gives away several products. */
export const UnitSchema = Type.Object({
  effect: oneOf(['ADD_NEW_ITEMS', 'ADD_MISSING_ITEMS'], 'Whether the item is always added, or only if it is missing'),
  unit_type: Type.String({ description: 'What a unit is' }),
  unit_off: optional(Type.Number({ description: 'How many units are given away' })),
  product: optional(UnitItemSchema),
  sku: optional(UnitItemSchema)
}, { description: 'A product that is given away' })

/**
 * A discount that gives away one product. It has no `units`; that they may be null is stated so that no body can be read
 * as one product and as several.
 */
export const UnitDiscountSchema = Type.Object({
  type: Type.Literal('UNIT', { description: 'Units of a product' }),
  unit_type: Type.String({ description: 'What a unit is' }),
  unit_off: optional(Type.Integer({ description: 'How many units are given away' })),
  unit_off_formula: optional(Type.String({ description: 'The formula that computes the units' })),
  effect: optional(oneOf(['ADD_MISSING_ITEMS', 'ADD_NEW_ITEMS', 'ADD_MANY_ITEMS'], 'How the product gets into the order')),
  product: optional(UnitItemSchema),
  sku: optional(UnitItemSchema),
  units: Type.Optional(Type.Null({ description: 'Never an array where one product is given away' })),
  is_dynamic: optional(Type.Boolean({ description: 'Whether a formula computes the discount' }))
}, { description: 'A discount that gives away one product' })

/** A discount that gives away several products: it is recognised by its `units`. */
export const UnitsDiscountSchema = Type.Object({
  type: Type.Literal('UNIT', { description: 'Units of several products' }),
  effect: optional(Type.Literal('ADD_MANY_ITEMS', { description: 'How the products get into the order' })),
  units: Type.Array(UnitSchema, { description: 'The products' }),
  unit_off_formula: optional(Type.String({ description: 'The formula that computes the units' })),
  is_dynamic: optional(Type.Boolean({ description: 'Whether a formula computes the discount' }))
}, { description: 'A discount that gives away several products' })

export type UnitItem = Static<typeof UnitItemSchema>
export type Unit = Static<typeof UnitSchema>
