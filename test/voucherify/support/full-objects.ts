/** Each object with every key that its schema lists, so that a walk over it meets every key. */
const at = '2026-02-03T04:05:06.789Z'

const item = { id: 'prod_1', name: 'Mug', source_id: 'mug' }

export const discounts = {
  amount: {
    type: 'AMOUNT', amount_off: 1000, amount_off_formula: 'A', aggregated_amount_limit: 5, effect: 'APPLY_TO_ITEMS_BY_QUANTITY', is_dynamic: true, units: null
  },
  percent: {
    type: 'PERCENT', percent_off: 12.5, percent_off_formula: 'A', amount_limit: 10.5, aggregated_amount_limit: 5, effect: 'APPLY_TO_ITEMS', is_dynamic: true
  },
  fixed: { type: 'FIXED', fixed_amount: 99, fixed_amount_formula: 'A', effect: 'APPLY_TO_ORDER', is_dynamic: false },
  unit: {
    type: 'UNIT', unit_type: 'prod_1', unit_off: 1, unit_off_formula: 'A', effect: 'ADD_NEW_ITEMS', product: item, sku: item, units: null, is_dynamic: true
  },
  units: {
    type: 'UNIT',
    effect: 'ADD_MANY_ITEMS',
    units: [
      { effect: 'ADD_NEW_ITEMS', unit_type: 'prod_1', unit_off: 1.5, product: item, sku: item },
      { effect: 'ADD_MISSING_ITEMS', unit_type: 'prod_2' }
    ],
    unit_off_formula: 'A',
    is_dynamic: true
  }
}

export const gift = { amount: 1000, balance: 10.5, effect: 'APPLY_TO_ITEMS' }

export const loyaltyCard = {
  points: 3,
  expiration_rules: {
    period_type: 'FIXED_DAY_OF_YEAR', period_value: 1, rounding_type: 'PARTICULAR_MONTH', rounding_value: 2, fixed_month: 12, fixed_day: 31
  }
}

export const referralProgram = {
  conversion_event_type: 'custom_event',
  custom_event: { id: 'ce_1', name: 'first_cup' },
  referee_reward: { related_object_parent: { id: 'camp_2', name: 'Reward', object: 'CAMPAIGN' }, type: 'GIFT_VOUCHER', amount: '500' }
}

export const category = {
  id: 'cat_1', name: 'Tea', hierarchy: 1, created_at: at, object: 'category', updated_at: at, stacking_rules_type: 'EXCLUSIVE'
}

export const customer = {
  id: 'cust_1', name: 'Zoë', email: 'zoe@shop.example', source_id: 'z', metadata: { a: { b: null } }, object: 'customer'
}

export const voucher = {
  type: 'DISCOUNT_VOUCHER',
  discount: discounts.amount,
  gift,
  loyalty_card: loyaltyCard,
  redemption: { quantity: 4, redeemed_quantity: 2 },
  code_config: { length: 8, prefix: 'a', postfix: 'b', charset: 'c', pattern: '#', initial_count: 1 }
}

export const campaign = {
  id: 'camp_1',
  name: 'Tea',
  campaign_type: 'LOYALTY_PROGRAM',
  type: 'STANDALONE',
  is_referral_code: true,
  voucher,
  auto_join: true,
  join_once: false,
  active: true,
  referral_program: referralProgram,
  category_id: 'cat_1',
  category: 'Tea',
  categories: [category, { ...category, stacking_rules_type: 'JOINT' }],
  metadata: {},
  start_date: at,
  expiration_date: at,
  created_at: at,
  updated_at: at,
  description: 'Cups',
  object: 'campaign'
}

export const tier = {
  id: 'ltr_1',
  campaign_id: 'camp_1',
  name: 'Leaf',
  metadata: { colour: 'jade' },
  created_at: at,
  updated_at: at,
  config: { points: { from: 0, to: 99 } },
  points: { from: 0, to: 99 },
  earning_rules: { ern_1: { type: 'MULTIPLY', multiplier: 1.5 }, 'ern/2~': { type: 'CUSTOM', points: 2 } },
  rewards: { rewa_1: { type: 'CUSTOM', points: 7 }, rewa_2: { type: 'MULTIPLY', multiplier: 0.5 } },
  object: 'loyalty_tier',
  expiration: {
    customer_id: 'cust_1', campaign_id: 'camp_1', tier_id: 'ltr_1', created_at: at, start_date: '2026-02-03', expiration_date: at, updated_at: at
  }
}

export const source = { id: 'distr_1', object: 'distribution', target_url: 'https://hooks.shop.example/' }

export const eventSource = { channel: 'CLIENT_API', user: { id: 'user_1' }, api_key: { name: 'Till', app_id: 'a' } }

export const envelope = {
  id: 'whs_1',
  project_id: 'proj_1',
  created_at: at,
  type: '',
  source,
  event: { id: 'ev_1', type: 'some.event', created_at: at, entity_id: 'e', group_id: 'v-1', event_source: eventSource }
}
