import type { DeliveryPage, ListedDelivery } from './answers.js'
import { get } from './api.js'
import { actionButton, element, table, type Column } from './element.js'
import { time } from './format.js'
import { standingBadges, verdictBadge } from './standing-badges.js'
import { addressOf, type Address, type View } from './view.js'

const PAGE = 50

interface Filter {
  readonly name: string
  readonly label: string
  readonly options?: readonly string[]
  readonly hint?: string
}

const filters: readonly Filter[] = [
  { name: 'customerId', label: 'Customer', hint: 'cust_…' },
  { name: 'eventType', label: 'Event type', hint: 'customer.loyalty.tier.*' },
  { name: 'campaignId', label: 'Campaign', hint: 'camp_…' },
  { name: 'sourceId', label: 'Source', hint: 'wh_… or distr_…' },
  { name: 'verdict', label: 'Verdict', options: ['valid', 'invalid', 'unvalidated'] },
  { name: 'standing', label: 'Standing', options: ['pending', 'waiting', 'dead', 'quarantined', 'forwarded'] },
  { name: 'forwarder', label: 'Forwarder' }
]

const columns: ReadonlyArray<Column<ListedDelivery>> = [
  { label: 'Received', cell: ({ id, receivedAt }) => element('a', { href: addressOf(['deliveries', id]) }, time(receivedAt)) },
  { label: 'Event', cell: ({ eventType }) => element('code', {}, eventType) },
  { label: 'Customer', cell: ({ customerId }) => customerId === null ? '–' : element('a', { href: addressOf(['deliveries'], { customerId }) }, customerId) },
  { label: 'Verdict', cell: verdictBadge },
  { label: 'Forwarders', cell: ({ forwarders }) => standingBadges(forwarders) },
  { label: 'Copies', number: true, cell: ({ duplicates }) => duplicates === 0 ? '' : `+${duplicates}` }
]

/** The deliveries, newest first, with filters; it follows what comes in for as long as the first page is shown. */
export function deliveriesView ({ query }: Address): View {
  const chosen = Object.fromEntries(filters.map(({ name }) => [name, query.get(name) ?? '']))
  const results = element('div', { 'aria-busy': 'true' })
  let rows: readonly ListedDelivery[] = []
  let cursor: string | null = null
  let known: ReadonlySet<string> | undefined
  /** Whoever looks at older ones is not to have them pushed away by newer ones. */
  let followsNewest = true

  async function update (): Promise<void> {
    if (!followsNewest) return
    const page = await get<DeliveryPage>('/api/deliveries', { ...chosen, limit: PAGE })
    show(page)
  }

  function show ({ deliveries, next }: DeliveryPage): void {
    rows = deliveries
    cursor = next
    const before = known
    known = new Set(rows.map(({ id }) => id))
    results.removeAttribute('aria-busy')
    if (rows.length === 0) {
      results.replaceChildren(element('p', { class: 'quiet' }, Object.values(chosen).some((value) => value !== '')
        ? 'No delivery fits these filters.'
        : 'No delivery yet. Point a Voucherify webhook here, or try it: tierhook send customer.loyalty.tier.upgraded'))
    } else {
      results.replaceChildren(table('Newest first', columns, rows, ({ id }) => ({ class: before !== undefined && !before.has(id) ? 'new' : undefined })))
    }
    const actions = element('div', { class: 'actions' })
    if (!followsNewest) actions.append(actionButton('Back to the newest', showNewest))
    if (cursor !== null) actions.append(actionButton('Older', showOlder))
    results.append(actions)
  }

  async function showOlder (): Promise<void> {
    const page = await get<DeliveryPage>('/api/deliveries', { ...chosen, limit: PAGE, cursor: cursor ?? undefined })
    followsNewest = false
    known = undefined
    show({ deliveries: [...rows, ...page.deliveries], next: page.next })
  }

  async function showNewest (): Promise<void> {
    followsNewest = true
    known = undefined
    await update()
  }

  return { node: element('section', { 'aria-label': 'Deliveries' }, filterForm(chosen), results), update }
}

function filterForm (chosen: Readonly<Record<string, string>>): HTMLElement {
  const form = element('form', {
    role: 'search',
    on: {
      submit: (event) => {
        event.preventDefault()
        apply()
      },
      change: () => { apply() }
    }
  }, ...filters.map((filter) => element('label', {}, filter.label, control(filter, chosen[filter.name] ?? ''))),
  element('button', { type: 'submit' }, 'Filter'),
  element('a', { href: addressOf(['deliveries']), class: 'small' }, 'Clear'))
  const apply = (): void => {
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]))
    location.hash = addressOf(['deliveries'], values)
  }
  return form
}

function control ({ name, options, hint }: Filter, value: string): HTMLElement {
  if (options === undefined) return element('input', { name, value, placeholder: hint, autocomplete: 'off', spellcheck: 'false' })
  return element('select', { name }, element('option', { value: '' }, 'any'), ...options.map((option) => element('option', { value: option, selected: option === value }, option)))
}
