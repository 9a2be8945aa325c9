import type { DeliveryPage, ListedDelivery, Loyalty } from './answers.js'
import { get } from './api.js'
import { deliveryColumns } from './delivery-columns.js'
import { element, svg, table } from './element.js'
import { plural } from './format.js'
import { tierName } from './tiers.js'
import { addressOf, sectionView, type View } from './view.js'

const MAX_DELIVERIES = 200
const WIDTH = 720
const ROW = 26
const LEFT = 130

interface Move {
  readonly at: number
  readonly loyalty: Loyalty
}

/** Shows one customer: the tiers over time, as one line per campaign, and the events. */
export function customerView (customerId: string): View {
  return sectionView('Customer', async () => {
    // The API ignores an empty filter, so all deliveries would be shown as one customer's.
    if (customerId === '') return [element('p', {}, 'This address names no customer. ', element('a', { href: addressOf(['deliveries']) }, 'Search the deliveries'))]
    const { deliveries, next } = await get<DeliveryPage>('/api/deliveries', { customerId, loyalty: 'true', limit: MAX_DELIVERIES })
    const name = deliveries.map(({ loyalty }) => loyalty?.customerName).find((each) => each !== null && each !== undefined)
    return [
      element('h2', {}, name ?? 'Customer', ' ', element('code', { class: 'whole' }, customerId)),
      ...[...movesByCampaign(deliveries)].map(([campaign, moves]) => element('figure', {},
        element('figcaption', {}, campaign, `: ${plural(moves.length, 'move')} between tiers`), tierLine(campaign, moves))),
      deliveries.length === 0
        ? element('p', { class: 'quiet' }, 'No delivery of this customer is in the store.')
        : table(next === null ? 'Newest first' : `The ${deliveries.length} newest`, deliveryColumns, deliveries, ({ id }) => ({ 'data-key': id })),
      element('p', {}, element('a', { href: addressOf(['deliveries'], { customerId }) }, 'Search among these deliveries'))
    ]
  })
}

/** Groups tier moves by campaign, oldest first. */
function movesByCampaign (deliveries: readonly ListedDelivery[]): ReadonlyMap<string, readonly Move[]> {
  const moves = new Map<string, Move[]>()
  for (const { loyalty, receivedAt, campaignId } of deliveries.toReversed()) {
    if (loyalty === null || loyalty === undefined) continue
    const occurred = Date.parse(loyalty.occurredAt ?? '')
    const campaign = loyalty.campaignName ?? campaignId ?? 'A campaign'
    moves.set(campaign, [...moves.get(campaign) ?? [], { at: Number.isNaN(occurred) ? Date.parse(receivedAt) : occurred, loyalty }])
  }
  for (const each of moves.values()) each.sort((a, b) => a.at - b.at)
  return moves
}

/** Draws a line that steps from tier to tier. The tier with the most points is the highest. */
function tierLine (campaign: string, moves: readonly Move[]): SVGElement {
  const points = new Map<string, number>()
  for (const { loyalty } of moves) {
    for (const tier of [loyalty.from, loyalty.to]) points.set(tierName(tier), tier === null ? -Infinity : tier.pointsFrom ?? points.get(tierName(tier)) ?? 0)
  }
  const names = [...points].sort(([, a], [, b]) => b - a).map(([name]) => name)
  const height = names.length * ROW + 30
  const first = moves[0]?.at ?? 0
  const length = Math.max(1, (moves.at(-1)?.at ?? 0) - first)
  const x = (at: number): number => LEFT + 40 + (WIDTH - LEFT - 100) * (moves.length === 1 ? 0.5 : (at - first) / length)
  const y = (tier: Loyalty['from']): number => names.indexOf(tierName(tier)) * ROW + ROW / 2 + 2
  const steps = moves.map(({ at, loyalty }, index) => `${index === 0 ? `M${LEFT} ${y(loyalty.from)}` : ''}H${x(at).toFixed(1)}V${y(loyalty.to)}`).join('')
  const date = (at: number): string => new Date(at).toISOString().slice(0, 10)
  const story = moves.map(({ at, loyalty }) => `${date(at)} ${tierName(loyalty.from)} to ${tierName(loyalty.to)}`).join('; ')
  return svg('svg', { class: 'plot tierline', viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': `Tiers in ${campaign}: ${story}` },
    ...names.map((name, index) => svg('g', {},
      svg('text', { x: LEFT - 10, y: index * ROW + ROW / 2 + 6, 'text-anchor': 'end' }, name.length > 18 ? `${name.slice(0, 17)}…` : name),
      svg('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: index * ROW + ROW / 2 + 2, y2: index * ROW + ROW / 2 + 2 }))),
    svg('path', { d: `${steps}H${WIDTH}` }),
    ...moves.map(({ at, loyalty }) => svg('circle', { cx: x(at).toFixed(1), cy: y(loyalty.to), r: 4 }, svg('title', {}, `${date(at)}: ${tierName(loyalty.from)} to ${tierName(loyalty.to)}`))),
    ...(moves.length === 1 ? moves : [moves[0], moves.at(-1)]).flatMap((move) => move === undefined ? [] : [svg('text', { x: x(move.at).toFixed(1), y: height - 6, 'text-anchor': 'middle' }, date(move.at))]))
}
