import { indentJson } from './indent-json.js'
import type { DeliveryDetails, RecordedAttempt, Replayed, ForwarderStatus } from './answers.js'
import { get, hasToken, post } from './api.js'
import { copyButton } from './copy.js'
import { customerLink } from './customer-cell.js'
import { eventCode } from './delivery-columns.js'
import { actionButton, badge, definitions, element, table, type Column } from './element.js'
import { bytes, countdown, duration, time } from './format.js'
import { statusBadges, verdictBadge } from './status-badges.js'
import { tierCard } from './tiers.js'
import { hasPreviousView } from './places.js'
import { addressOf, sectionView, type ViewContext, type View } from './view.js'

const attemptColumns: ReadonlyArray<Column<RecordedAttempt>> = [
  { label: 'Started', cell: ({ startedAt }) => time(startedAt) },
  { label: 'Forwarder', cell: ({ forwarder, replay }) => replay ? `${forwarder} (replay)` : forwarder },
  { label: 'Attempt', number: true, cell: ({ attempt }) => attempt },
  { label: 'Outcome', cell: ({ outcome }) => badge(outcome, outcome === 'forwarded' ? 'good' : outcome === 'dead' ? 'bad' : 'warn') },
  { label: 'Took', number: true, cell: ({ durationMs }) => duration(durationMs) },
  { label: 'Detail', cell: ({ detail }) => detail ?? '' }
]

const statusColumns: ReadonlyArray<Column<ForwarderStatus>> = [
  { label: 'Forwarder', cell: ({ forwarder }) => forwarder },
  { label: 'Status', cell: (status) => statusBadges([status]) },
  { label: 'Attempt', number: true, cell: ({ attempt }) => attempt },
  { label: 'Due, or dead since', cell: ({ dueAt, diedAt }) => dueAt === undefined && diedAt === undefined ? '' : dueAt !== undefined ? countdown(dueAt) : time(diedAt ?? '') },
  { label: 'Reason', cell: ({ reason }) => reason ?? '' }
]

/** Shows one delivery: its fields, its status at each forwarder, the attempts, and the body as received. */
export function deliveryView (id: string, { notify }: ViewContext): View {
  /** The body never changes, and every read of it is logged, so it is requested once. */
  let shown: HTMLElement | undefined
  let delivered: DeliveryDetails | undefined

  async function replay (forwarders: readonly string[]): Promise<void> {
    const { replays, refused } = await post<Replayed>(`/api/deliveries/${encodeURIComponent(id)}/replay`, forwarders.length === 0 ? {} : { forwarders })
    notify(replays === 0 ? `Nothing to replay${refused[0] === undefined ? '' : `: the delivery is ${refused[0].why}`}.` : undefined)
    await view.update()
  }

  async function release (): Promise<void> {
    const { released } = await post<{ released: ReadonlyArray<{ readonly status: string }> }>('/api/quarantine/release', { ids: [id], force: true })
    notify(released[0]?.status === 'released' ? undefined : `Not released: ${released[0]?.status ?? 'gone'}.`)
    await view.update()
  }

  const view = sectionView('Delivery', async () => {
    const delivery = await get<DeliveryDetails>(`/api/deliveries/${encodeURIComponent(id)}`, shown === undefined ? {} : { body: 'false' })
    if (shown === undefined || delivery.state === 'erased') {
      shown = bodyOf(delivery)
      delivered = delivery
    }
    const { receivedAt, eventType, customerId, campaignId, forwarders, attempts, faults, headers, loyalty } = delivery
    return [
      element('p', {}, backLink()),
      element('h2', {}, eventCode(eventType)),
      loyalty !== null && loyalty !== undefined && tierCard(loyalty, customerLink(customerId, loyalty)),
      definitions([
        ['Delivery', element('code', {}, delivery.id)],
        ['Received', time(receivedAt)],
        ['Verdict', verdictBadge(delivery)],
        ['Customer', customerId === null ? null : element('a', { href: addressOf(['customers', customerId]) }, customerId)],
        ['Campaign', campaignId === null ? null : element('a', { href: addressOf(['deliveries'], { campaignId }) }, campaignId)],
        ['Source', [delivery.sourceObject, delivery.sourceId].filter((part) => part !== null).join(' ')],
        ['Event', delivery.eventId],
        ['Project', delivery.projectId],
        ['Copies', delivery.duplicates === 0 ? null : `${delivery.duplicates} more, answered as duplicates`],
        ['Size', bytes(delivery.bodyBytes)]
      ]),
      element('div', { class: 'actions' },
        copyButton('id', () => id, notify),
        copyButton('JSON', () => delivered?.body ?? delivered?.bodyBase64 ?? '', notify),
        copyButton('curl', () => `curl${hasToken() ? ' -H "authorization: Bearer $ADMIN_TOKEN"' : ''} '${location.origin}/api/deliveries/${encodeURIComponent(delivery.id)}'`, notify),
        copyButton('link', () => location.href, notify)),
      ...(faults.length === 0 ? [] : [element('h3', {}, 'Faults'), faultList(faults)]),
      element('div', { class: 'actions' },
        actionButton(forwarders.length > 1 ? 'Replay to all' : 'Replay', async () => { await replay([]) }, { disabled: delivery.state === 'quarantined' || delivery.state === 'erased' || delivery.damaged || forwarders.length === 0 }),
        ...(forwarders.length > 1 && delivery.state !== 'quarantined' && delivery.state !== 'erased' && !delivery.damaged
          ? forwarders.map(({ forwarder }) => actionButton(`Replay to ${forwarder}`, async () => { await replay([forwarder]) }))
          : []),
        delivery.state === 'quarantined' && actionButton('Release from quarantine', release)),
      table('Status', statusColumns, forwarders),
      element('h3', {}, 'Attempts'),
      attempts.length === 0 ? element('p', { class: 'quiet' }, 'None is recorded. The log and file forwarders record only failed attempts.') : table('Oldest first', attemptColumns, attempts),
      element('h3', {}, 'Body, as received'),
      shown,
      element('h3', {}, 'Kept headers'),
      definitions(Object.entries(headers).map(([name, value]) => [name, element('code', {}, value)]))
    ]
  }, { tag: 'article' })
  return view
}

export function faultList (faults: DeliveryDetails['faults']): HTMLElement {
  return element('ul', { class: 'faults' }, ...faults.map(({ pointer, message }) => element('li', {}, element('code', {}, pointer === '' ? '(the whole)' : pointer), ` ${message}`)))
}

function bodyOf ({ body, bodyBase64, damaged }: DeliveryDetails): HTMLElement {
  if (body === null) return element('pre', { tabindex: 0, 'data-key': 'body', 'aria-label': 'Body in base64' }, bodyBase64 ?? (damaged ? 'The record is damaged, and its body cannot be read.' : ''))
  return element('pre', { tabindex: 0, 'data-key': 'body', 'aria-label': 'Body' }, isJson(body) ? indentJson(body) : body)
}

function isJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Not JSON: shown as it is.
    return false
  }
}

/** Links back: to the view before this one as the reader left it, or to the list of deliveries if the reader came from elsewhere. */
function backLink (): HTMLElement {
  return element('a', {
    href: '#/deliveries',
    on: {
      click: (event) => {
        if (!hasPreviousView()) return
        event.preventDefault()
        history.back()
      }
    }
  }, '← Back')
}
