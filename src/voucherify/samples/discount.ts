import type { Discount } from '../objects/discount.js'
import type { Recipe } from './recipe.js'

/** Makes an invented discount, in one of five forms in turn. */
export function sampleDiscount (recipe: Recipe, turn: number): Discount {
  switch (turn % 5) {
    case 0: return { type: 'AMOUNT', amount_off: 500 + recipe.number('amount', 1500), effect: 'APPLY_TO_ORDER', is_dynamic: false }
    case 1: return { type: 'PERCENT', percent_off: 5 + recipe.number('percent', 20) / 2, amount_limit: 5000, effect: null }
    case 2: return { type: 'FIXED', fixed_amount: 1999, fixed_amount_formula: 'PRICE(cheapest) - 1', effect: 'APPLY_TO_ITEMS', is_dynamic: true }
    case 3: return {
      type: 'UNIT',
      unit_type: recipe.id('prod_', 'mug'),
      unit_off: 1 + recipe.number('units', 3),
      effect: 'ADD_MISSING_ITEMS',
      product: { id: recipe.id('prod_', 'mug'), name: 'Enamel mug', source_id: null },
      units: null
    }
    default: return {
      type: 'UNIT',
      effect: 'ADD_MANY_ITEMS',
      units: [
        { effect: 'ADD_NEW_ITEMS', unit_type: recipe.id('prod_', 'tea'), unit_off: 2, product: { id: recipe.id('prod_', 'tea'), name: 'Thé vert' } },
        { effect: 'ADD_MISSING_ITEMS', unit_type: recipe.id('sku_', 'pot'), sku: { id: recipe.id('sku_', 'pot'), name: 'Teapot, 1 l' } }
      ]
    }
  }
}
