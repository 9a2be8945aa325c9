import type { Campaign } from '../objects/campaign.js'
import type { ReferralProgram } from '../objects/referral-program.js'
import type { Recipe } from './recipe.js'
import { sampleVoucher } from './voucher.js'

const campaigns = 5

/** Returns the id of a sample's campaign. All samples share a few campaigns. */
export function sampleCampaignId (recipe: Recipe): string {
  return recipe.id('camp_', recipe.index % campaigns)
}

/** Makes an invented loyalty campaign. */
export function sampleCampaign (recipe: Recipe): Campaign {
  const { index } = recipe
  const campaign: Campaign = {
    id: sampleCampaignId(recipe),
    name: recipe.pick('campaign', 'Tea Circle', 'Brew Club', 'Círculo do chá', 'お茶の会'),
    campaign_type: 'LOYALTY_PROGRAM',
    type: recipe.pick('campaign type', 'AUTO_UPDATE', 'STATIC', 'STANDALONE'),
    is_referral_code: false,
    voucher: sampleVoucher(recipe),
    auto_join: index % 2 === 0,
    join_once: true,
    active: true,
    category_id: null,
    category: null,
    metadata: {},
    start_date: recipe.pick('start', null, recipe.daysAgo(400)),
    expiration_date: null,
    description: recipe.pick('description', null, 'Points for every cup ☕'),
    created_at: recipe.daysAgo(420),
    updated_at: recipe.pick('updated', null, recipe.daysAgo(3)),
    object: 'campaign'
  }
  if (index % 7 === 3) campaign.referral_program = sampleReferralProgram(recipe)
  if (index % 5 === 2) {
    campaign.categories = [{
      id: recipe.id('cat_', 'tea'), name: 'Tea', hierarchy: 1, created_at: recipe.daysAgo(500), object: 'category', stacking_rules_type: 'JOINT'
    }]
  }
  return campaign
}

function sampleReferralProgram (recipe: Recipe): ReferralProgram {
  return {
    conversion_event_type: 'custom_event',
    custom_event: { id: recipe.id('ce_', 'first-cup'), name: 'first_cup' },
    referee_reward: {
      related_object_parent: { id: recipe.id('camp_', 'referee'), name: 'First cup free', object: 'campaign' },
      type: 'GIFT_VOUCHER',
      amount: recipe.pick<string | number>('reward', '500', 500)
    }
  }
}
