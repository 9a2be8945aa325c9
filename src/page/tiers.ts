import type { Loyalty } from './answers.js'
import { definitions, element, type Child } from './element.js'

type Tier = NonNullable<Loyalty['from']>

/** Returns a tier's name, or its id if it has none. */
export function tierName (tier: Tier | null): string {
  return tier === null ? 'no tier' : tier.name ?? tier.id ?? 'a tier'
}

/** Whether the event is a move between tiers, and not only about one tier. */
export function isMove ({ from, to }: Loyalty): boolean {
  return tierName(from) !== tierName(to)
}

/** Shows a move between tiers: `Leaf → Blütentee`. */
export function moveText (loyalty: Loyalty | null | undefined): Child {
  if (loyalty === null || loyalty === undefined) return '–'
  if (!isMove(loyalty)) return element('span', { class: 'move' }, tierName(loyalty.to))
  return element('span', { class: 'move' },
    element('span', {}, tierName(loyalty.from)), element('span', { class: 'quiet', 'aria-hidden': 'true' }, ' → '), element('span', { class: 'unseen' }, ' to '), element('strong', {}, tierName(loyalty.to)))
}

/** Shows a customer's move between tiers, with the points and rewards of each tier. */
export function tierCard (loyalty: Loyalty, customer: Child): HTMLElement {
  const { from, to, campaignName } = loyalty
  const tiers: ReadonlyArray<readonly [string, Tier | null]> = isMove(loyalty) ? [['Before', from], ['After', to]] : [['Tier', to]]
  return element('section', { class: 'card tiers', 'aria-label': 'Loyalty' },
    element('p', { class: 'headline' }, moveText(loyalty)),
    element('p', { class: 'small' }, customer, campaignName !== null && ` in ${campaignName}`),
    element('div', { class: 'pair' }, ...tiers.map(([label, tier]) => element('div', {},
      element('p', { class: 'quiet small' }, label),
      tier === null ? element('p', {}, 'no tier') : definitions([['Tier', tierName(tier)], ['Points', pointsOf(tier)], ['Rewards', rewardsOf(tier)]])))))
}

function pointsOf ({ pointsFrom, pointsTo }: Tier): string | null {
  if (pointsFrom === null && pointsTo === null) return null
  if (pointsTo === null) return `${pointsFrom?.toLocaleString('en') ?? ''} or more`
  return `${(pointsFrom ?? 0).toLocaleString('en')} to ${pointsTo.toLocaleString('en')}`
}

function rewardsOf ({ rewards }: Tier): Child {
  if (rewards.length === 0) return 'unchanged'
  return element('ul', { class: 'plain' }, ...rewards.map(({ id, multiplier, points }) => element('li', {},
    multiplier !== null ? `× ${multiplier} ` : points !== null ? `${points.toLocaleString('en')} points ` : 'changed ', element('code', { title: id }, shortId(id)))))
}

/** Shortens an id. The element that shows it has the whole id as its title. */
export function shortId (id: string): string {
  const [, prefix = '', rest = ''] = /^([a-z]{1,8}_)?(.*)$/s.exec(id) ?? []
  return rest.length > 12 ? `${prefix}${rest.slice(0, 8)}…` : id
}
