import { Type, type Static } from '@sinclair/typebox'
import { documented, oneOf, optional } from './optional.js'

/** The product, or the variant of one, that a unit discount gives away. */
export const UnitItemSchema = Type.Object({
  id: documented(Type.String({ description: 'The item at Voucherify' })),
  name: documented(Type.String({ description: 'What the item is called' })),
  source_id: optional(Type.String({ description: 'The item in the team\'s own system' }))
}, { description: 'The item that is given away' })

/** One line of a discount that gives away several products. */
export const UnitSchema = Type.Object({
  effect: documented(oneOf(['ADD_NEW_ITEMS', 'ADD_MISSING_ITEMS', 'ADD_SAME_ITEMS'], 'How the item gets into the order')),
  unit_type: documented(Type.String({ description: 'What a unit is' })),
  unit_off: optional(Type.Number({ description: 'How many units are given away' })),
  product: optional(UnitItemSchema),
  sku: optional(UnitItemSchema)
}, { description: 'A product that is given away' })

export type UnitItem = Static<typeof UnitItemSchema>
export type Unit = Static<typeof UnitSchema>
