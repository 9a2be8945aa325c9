import type { ListedDelivery } from './answers.js'
import { customerLink, namedWithId } from './customer-cell.js'
import { element, type Column } from './element.js'
import { plural, time } from './format.js'
import { statusBadges, verdictBadge } from './status-badges.js'
import { moveText, shortId } from './tiers.js'
import { addressOf } from './view.js'

/** Columns of a list of deliveries. Customer and tier come before the event type, because they say more. */
export const deliveryColumns: ReadonlyArray<Column<ListedDelivery>> = [
  { label: 'Received', cell: ({ id, receivedAt }) => element('a', { href: addressOf(['deliveries', id]), title: id }, time(receivedAt), element('span', { class: 'unseen' }, ` delivery ${id}`)) },
  { label: 'Customer', cell: ({ customerId, loyalty }) => customerLink(customerId, loyalty) },
  { label: 'Tier', cell: ({ loyalty }) => moveText(loyalty) },
  { label: 'Event', cell: ({ eventType }) => eventCode(eventType) },
  { label: 'Campaign', cell: ({ campaignId, loyalty }) => campaignId === null ? loyalty?.campaignName ?? '–' : element('a', { href: addressOf(['deliveries'], { campaignId }), title: campaignId }, ...namedWithId(loyalty?.campaignName ?? shortId(campaignId), campaignId)) },
  { label: 'Verdict', cell: (delivery) => [verdictBadge(delivery), delivery.duplicates > 0 && element('span', { class: 'small quiet' }, plural(delivery.duplicates, 'copy'))] },
  { label: 'Forwarders', cell: ({ forwarders }) => statusBadges(forwarders) }
]

/** Shows an event type. A line may break only before its last word. */
export function eventCode (eventType: string): HTMLElement {
  const last = eventType.lastIndexOf('.')
  return element('code', { class: 'type' }, ...last < 1 ? [eventType] : [eventType.slice(0, last), element('wbr', {}), eventType.slice(last)])
}
