import type { EventBody, EventType } from '../catalogue.js'
import { sampleCampaign } from './campaign.js'
import { sampleCustomer } from './customer.js'
import { sampleExpiringTier, sampleTier, tierCount } from './loyalty-tier.js'
import type { Recipe } from './recipe.js'

/** The functions that make each event's body. */
export const bodyRecipes: { readonly [T in EventType]: (recipe: Recipe) => EventBody<T> } = {
  'customer.loyalty.tier.joined': recipe => inTier(recipe),
  'customer.loyalty.tier.left': recipe => inTier(recipe),
  'customer.loyalty.tier.upgraded': recipe => between(recipe, 0, 1),
  'customer.loyalty.tier.downgraded': recipe => between(recipe, 1, 0),
  'customer.loyalty.tier.prolonged': recipe => ({ ...inTier(recipe), loyalty_tier: sampleExpiringTier(recipe, rankOf(recipe)) }),
  'campaign.loyalty_tier.created': recipe => ofCampaign(recipe),
  'campaign.loyalty_tier.updated': recipe => ofCampaign(recipe),
  'campaign.loyalty_tier.deleted': recipe => ofCampaign(recipe),
  'voucher.loyalty_card.transaction.created': recipe => ({ ...ofCustomer(recipe), holder_loyalty_tier: sampleTier(recipe, rankOf(recipe)) }),
  'voucher.loyalty_card.points_added': ofCustomer,
  'voucher.loyalty_card.points_expired': ofCustomer,
  'voucher.loyalty_card.pending_points.added': ofCustomer,
  'voucher.loyalty_card.pending_points.updated': ofCustomer,
  'loyalty_card.pending_points.updated': ofCustomer,
  'voucher.loyalty_card.pending_points.activated': ofCustomer,
  'voucher.loyalty_card.pending_points.canceled': ofCustomer,
  'customer.rewarded': ofCustomer,
  'customer.rewarded.loyalty_points': ofCustomer,
  'customer.voucher.loyalty_card.points_added': ofCustomer,
  'customer.voucher.loyalty_card.points_expired': ofCustomer,
  'customer.voucher.loyalty_card.pending_points.added': ofCustomer,
  'customer.voucher.loyalty_card.pending_points.updated': ofCustomer,
  'customer.voucher.loyalty_card.pending_points.activated': ofCustomer,
  'customer.voucher.loyalty_card.pending_points.canceled': ofCustomer,
  'customer.reward_redemptions.completed': ofCustomer
}

/** Makes the body of an event of which only the name is known: its customer and its time. */
export function ofCustomer (recipe: Recipe): Record<string, unknown> {
  return { customer: sampleCustomer(recipe), created_at: recipe.daysAgo(0) }
}

function rankOf (recipe: Recipe): number {
  return recipe.index % tierCount
}

// Both may be null or absent, so in some samples they are.
function whoAndWhere (recipe: Recipe) {
  return {
    customer: recipe.index % 29 === 28 ? null : sampleCustomer(recipe),
    campaign: recipe.index % 31 === 30 ? null : sampleCampaign(recipe)
  }
}

function inTier (recipe: Recipe): EventBody<'customer.loyalty.tier.joined'> {
  return { ...whoAndWhere(recipe), loyalty_tier: sampleTier(recipe, rankOf(recipe)), created_at: recipe.daysAgo(0) }
}

function between (recipe: Recipe, from: number, to: number): EventBody<'customer.loyalty.tier.upgraded'> {
  const lower = recipe.index % (tierCount - 1)
  return {
    ...whoAndWhere(recipe),
    loyalty_tier_from: sampleTier(recipe, lower + from),
    loyalty_tier_to: sampleTier(recipe, lower + to),
    created_at: recipe.daysAgo(0)
  }
}

function ofCampaign (recipe: Recipe): EventBody<'campaign.loyalty_tier.created'> {
  const tier = sampleTier(recipe, rankOf(recipe))
  if (recipe.index % 13 === 12) return { loyalty_tier: tier }
  if (recipe.index % 17 === 16) return { campaign: sampleCampaign(recipe), loyalty_tier: null }
  return { campaign: sampleCampaign(recipe), loyalty_tier: tier }
}
