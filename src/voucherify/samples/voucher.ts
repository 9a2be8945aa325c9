import type { LoyaltyCard } from '../objects/loyalty-card.js'
import type { Voucher } from '../objects/voucher.js'
import { sampleDiscount } from './discount.js'
import type { Recipe } from './recipe.js'

/** Makes an invented voucher: usually a loyalty card, sometimes a discount in one of its forms, sometimes a gift. */
export function sampleVoucher (recipe: Recipe): Voucher {
  const { index } = recipe
  const kind = index % 4
  const common = {
    redemption: { quantity: recipe.pick('quantity', null, 1, 100), redeemed_quantity: recipe.number('redeemed', 50) },
    code_config: { length: 8, prefix: 'tea-', postfix: '', charset: '0123456789ABCDEF', pattern: 'tea-########' }
  }
  if (kind === 1) return { type: 'DISCOUNT_VOUCHER', discount: sampleDiscount(recipe, Math.floor(index / 4)), gift: null, loyalty_card: null, ...common }
  if (kind === 3) {
    const amount = 1000 * (1 + recipe.number('gift', 20))
    return { type: 'GIFT_VOUCHER', gift: { amount, balance: amount / 2, effect: recipe.pick('gift effect', null, 'APPLY_TO_ITEMS') }, ...common }
  }
  return { type: 'LOYALTY_CARD', loyalty_card: sampleLoyaltyCard(recipe), ...common }
}

function sampleLoyaltyCard (recipe: Recipe): LoyaltyCard {
  return recipe.pick<LoyaltyCard>('card',
    { points: 0 },
    { points: 50, expiration_rules: null },
    { points: 0, expiration_rules: { period_type: 'MONTH', period_value: 12, rounding_type: 'END_OF_QUARTER', rounding_value: 1 } },
    { points: 10, expiration_rules: { period_type: 'FIXED_DAY_OF_YEAR', fixed_month: 2, fixed_day: 28 } }
  )
}
