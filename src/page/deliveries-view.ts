import type { DeliveryPage, ListedDelivery } from './answers.js'
import { get } from './api.js'
import { deliveryColumns } from './delivery-columns.js'
import { actionButton, element, show, table } from './element.js'
import { exportDeliveries, type ExportFormat } from './export.js'
import { plural } from './format.js'
import { addressOf, type Address, type ViewContext, type View } from './view.js'

const PAGE = 50
/** The API's largest page. */
const LARGEST_PAGE = 200
/** How many rows are kept up to date. Older rows keep the state in which they were loaded. */
const MAX_FRESH = 1000

interface Filter {
  readonly name: string
  readonly label: string
  readonly options?: readonly string[]
  readonly hint?: string
  readonly type?: string
}

const filters: readonly Filter[] = [
  { name: 'customerId', label: 'Customer', hint: 'cust_…' },
  { name: 'eventType', label: 'Event type', hint: 'customer.loyalty.tier.*' },
  { name: 'campaignId', label: 'Campaign', hint: 'camp_…' },
  { name: 'sourceId', label: 'Source', hint: 'wh_… or distr_…' },
  { name: 'forwarder', label: 'Forwarder' },
  { name: 'status', label: 'Status', options: ['pending', 'retrying', 'dead', 'quarantined', 'forwarded', 'skipped', 'discarded'] },
  { name: 'verdict', label: 'Verdict', options: ['valid', 'invalid', 'unvalidated'] },
  { name: 'within', label: 'Within the last', options: ['15 min', '1 h', '24 h', '7 d'] },
  { name: 'since', label: 'From (UTC)', type: 'datetime-local' },
  { name: 'until', label: 'Until (UTC)', type: 'datetime-local' }
]
const names = ['q', ...filters.map(({ name }) => name)]

const presets: ReadonlyArray<readonly [string, Readonly<Record<string, string>>]> = [
  ['Failing', { status: 'retrying' }], ['Given up', { status: 'dead' }], ['Quarantined', { status: 'quarantined' }], ['Last hour', { within: '1 h' }]
]

const withinMs: Readonly<Record<string, number>> = { '15 min': 900_000, '1 h': 3_600_000, '24 h': 86_400_000, '7 d': 604_800_000 }

/** Turns the chosen filters into a query. The API knows only points in time, so `within` becomes `since`. */
export function queryOf ({ within = '', since = '', until = '', ...rest }: Readonly<Record<string, string>>): Record<string, string> {
  const ms = withinMs[within]
  return {
    ...rest,
    since: ms !== undefined ? new Date(Date.now() - ms).toISOString() : since === '' ? '' : `${since}Z`,
    until: until === '' ? '' : `${until}Z`
  }
}

/** Returns the cursor of the page below a sequence, in the API's format. */
function cursorBefore (sequence: number): string {
  return btoa(`before ${sequence}`).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_')
}

/**
 * Lists deliveries, newest first, with filters. Listed rows are updated in place. New deliveries wait behind a button, so that rows do not move
 * under the reader.
 */
export function deliveriesView ({ query }: Address, { notify }: ViewContext): View {
  const chosen = Object.fromEntries(names.map((name) => [name, query.get(name) ?? '']))
  const results = element('div', { 'aria-busy': 'true', 'data-asked': query.toString() })
  let rows: readonly ListedDelivery[] = []
  let cursor: string | null = null
  /** The newest page, if it has deliveries that are not shown yet. */
  let newest: DeliveryPage | undefined
  let arrived: ReadonlySet<string> = new Set()

  async function update (): Promise<void> {
    const page = await get<DeliveryPage>('/api/deliveries', { ...queryOf(chosen), loyalty: 'true', limit: PAGE })
    if (rows.length === 0) {
      rows = page.deliveries
      cursor = page.next
    } else {
      newest = isNewer(page) ? page : undefined
      await takeAll(page)
    }
    draw()
  }

  /** Updates the listed rows, page by page, up to the limit. */
  async function takeAll (newestPage: DeliveryPage): Promise<void> {
    let below = take(newestPage, Infinity)
    for (let taken = PAGE; taken < MAX_FRESH; taken += LARGEST_PAGE) {
      const rest = rows.filter(({ sequence }) => sequence < below)
      const [first] = rest
      if (first === undefined) return
      const limit = Math.min(rest.length, LARGEST_PAGE)
      below = take(await get<DeliveryPage>('/api/deliveries', { ...queryOf(chosen), loyalty: 'true', limit, cursor: cursorBefore(first.sequence + 1) }), first.sequence)
    }
  }

  /**
   * Updates the rows from `first` down to the end of a page, and removes those that no longer match the filters. Returns the sequence where the
   * page ends.
   */
  function take ({ deliveries, next }: DeliveryPage, first: number): number {
    const fresh = new Map(deliveries.map((delivery) => [delivery.sequence, delivery]))
    const last = next === null ? 0 : deliveries.at(-1)?.sequence ?? Infinity
    rows = rows.filter(({ sequence }) => sequence > first || sequence < last || fresh.has(sequence)).map((row) => fresh.get(row.sequence) ?? row)
    return deliveries.length === 0 ? 0 : last
  }

  function newOnes ({ deliveries }: DeliveryPage): readonly ListedDelivery[] {
    return deliveries.filter(({ sequence }) => sequence > (rows[0]?.sequence ?? 0))
  }

  function isNewer (page: DeliveryPage): boolean {
    return newOnes(page).length > 0
  }

  function draw (): void {
    results.removeAttribute('aria-busy')
    const waiting = newest === undefined ? 0 : newOnes(newest).length
    show(results,
      element('div', { class: 'arrivals', 'data-key': 'new', 'aria-live': 'polite' }, waiting > 0 && actionButton(`${waiting >= PAGE ? `${PAGE} or more` : waiting} new`, showNew)),
      rows.length === 0
        ? element('p', { class: 'quiet', 'data-key': 'none' }, Object.values(chosen).some((value) => value !== '')
          ? 'No delivery matches these filters.'
          : 'No delivery yet. Point a Voucherify webhook here, or try it: tierhook send customer.loyalty.tier.upgraded')
        : element('div', { 'data-key': 'list' }, table('Newest first', deliveryColumns, rows, ({ id }) => ({ 'data-key': id, class: arrived.has(id) ? 'new' : undefined }))),
      element('div', { class: 'actions', 'data-key': 'more' },
        cursor !== null && actionButton('Older', showOlder),
        rows.length > 0 && actionButton('Export NDJSON', async () => { await save('ndjson') }),
        rows.length > 0 && actionButton('Export CSV', async () => { await save('csv') })))
  }

  async function showNew (): Promise<void> {
    if (newest === undefined) return
    const added = newOnes(newest)
    arrived = new Set(added.map(({ id }) => id))
    // If deliveries are missing between the new page and the list, the list starts again with the new page.
    if (added.length < newest.deliveries.length) rows = [...added, ...rows]
    else ({ deliveries: rows, next: cursor } = newest)
    newest = undefined
    draw()
    results.querySelector<HTMLElement>('tbody a')?.focus()
  }

  async function showOlder (): Promise<void> {
    const page = await get<DeliveryPage>('/api/deliveries', { ...queryOf(chosen), loyalty: 'true', limit: PAGE, cursor: cursor ?? undefined })
    rows = [...rows, ...page.deliveries]
    cursor = page.next
    draw()
  }

  async function save (format: ExportFormat): Promise<void> {
    const { count, complete } = await exportDeliveries(queryOf(chosen), format)
    notify(`${plural(count, 'delivery')} exported${complete ? '' : '; there are more: narrow the filters to export them'}.`, 'done')
  }

  return { node: element('section', { 'aria-label': 'Deliveries' }, filterForm(chosen), results), update }
}

function filterForm (chosen: Readonly<Record<string, string>>): HTMLElement {
  const set = filters.filter(({ name }) => chosen[name] !== '').length
  const form = element('form', {
    role: 'search',
    on: {
      submit: (event) => {
        event.preventDefault()
        apply()
      },
      change: () => { apply() }
    }
  },
  element('label', { class: 'search' }, 'Search', element('input', { type: 'search', name: 'q', value: chosen['q'], placeholder: 'The beginning of an id, a word of the event type, or a forwarder', autocomplete: 'off', spellcheck: 'false' })),
  element('button', { type: 'submit' }, 'Find'),
  element('p', { class: 'presets small' }, ...presets.flatMap(([label, values]) => [element('a', {
    href: addressOf(['deliveries'], values), 'aria-current': Object.entries(values).every(([name, value]) => chosen[name] === value) ? 'true' : undefined
  }, label), ' ']), element('a', { href: addressOf(['deliveries']) }, 'All')),
  // A wide screen has room to show the filters open.
  element('details', { class: 'filters', open: set > 0 && matchMedia('(min-width: 60rem)').matches },
    element('summary', {}, set === 0 ? 'Filters' : `Filters (${set})`),
    element('div', {}, ...filters.map((filter) => element('label', {}, filter.label, control(filter, chosen[filter.name] ?? ''))))))
  const apply = (): void => {
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]))
    location.hash = addressOf(['deliveries'], values)
  }
  return form
}

function control ({ name, options, hint, type }: Filter, value: string): HTMLElement {
  if (options === undefined) return element('input', { name, value, type, placeholder: hint, autocomplete: 'off', spellcheck: 'false' })
  return element('select', { name }, element('option', { value: '' }, 'any'), ...options.map((option) => element('option', { value: option, selected: option === value }, option)))
}
