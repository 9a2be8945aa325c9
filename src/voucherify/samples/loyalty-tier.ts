import type { LoyaltyTier, PointsRange, TierMapping } from '../objects/loyalty-tier.js'
import { sampleCampaignId } from './campaign.js'
import type { Recipe } from './recipe.js'

interface Rank { readonly name: string, readonly points: PointsRange }

const lowerTiers: readonly Rank[] = [
  { name: 'Leaf', points: { from: 0, to: 99 } },
  { name: 'Blütentee', points: { from: 100, to: 499 } },
  { name: '烏龍', points: { from: 500, to: 1999 } }
]

const topTier: Rank = { name: 'Master Brewer', points: { from: 2000 } }

/** How many tiers a sample campaign has. */
export const tierCount = lowerTiers.length + 1

/** Makes an invented tier of the sample's campaign. Rank 0 is the lowest. A rank above the top gives the top tier. */
export function sampleTier (recipe: Recipe, rank: number): LoyaltyTier {
  const place = Math.min(rank, tierCount - 1)
  const { name, points } = lowerTiers[place] ?? topTier
  const campaignId = sampleCampaignId(recipe)
  return {
    id: recipe.id('ltr_', campaignId, place),
    name,
    campaign_id: campaignId,
    metadata: recipe.pick('tier metadata', null, {}, { colour: 'jade' }),
    created_at: recipe.daysAgo(410),
    updated_at: recipe.pick('tier updated', null, recipe.daysAgo(20)),
    earning_rules: mappings(recipe, 'ern_', place),
    rewards: mappings(recipe, 'rewa_', place + 1),
    config: { points: { ...points } },
    points: { ...points },
    object: 'loyalty_tier'
  }
}

/** Makes the same tier for a customer whose time in it ends. */
export function sampleExpiringTier (recipe: Recipe, rank: number): LoyaltyTier {
  const tier = sampleTier(recipe, rank)
  const expiration = {
    customer_id: recipe.id('cust_', recipe.index),
    campaign_id: sampleCampaignId(recipe),
    tier_id: tier.id,
    // The documentation shows both a date and a date-time.
    start_date: recipe.pick('start date', recipe.daysAgo(30), recipe.daysAgo(30).slice(0, 10)),
    expiration_date: recipe.pick('expiration date', recipe.daysAgo(-60), recipe.daysAgo(-60).slice(0, 10)),
    created_at: recipe.daysAgo(30),
    updated_at: null
  }
  return { ...tier, expiration }
}

function mappings (recipe: Recipe, prefix: string, count: number): Record<string, TierMapping> {
  const kinds: readonly TierMapping[] = [
    { type: 'MULTIPLY', multiplier: 1 + recipe.number(`${prefix}multiplier`, 8) / 4 },
    { type: 'CUSTOM', points: 10 + recipe.number(`${prefix}points`, 90) }
  ]
  return Object.fromEntries(kinds.slice(0, count % 3).map((kind, place) => [recipe.id(prefix, place), kind]))
}
