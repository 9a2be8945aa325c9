import type { DeliveryPage, ListedDelivery } from './answers.js'
import { get, post } from './api.js'
import { bulkPanel } from './bulk-panel.js'
import { customerLink } from './customer-cell.js'
import { eventCode } from './delivery-columns.js'
import { faultList } from './delivery-view.js'
import { actionButton, element, table, type Column } from './element.js'
import { time } from './format.js'
import { moveText } from './tiers.js'
import { addressOf, sectionView, type ViewContext, type View } from './view.js'

const PAGE = 50

interface Released {
  readonly released: ReadonlyArray<{ readonly id: string, readonly status: string }>
}

/** Lists quarantined deliveries with the reasons. */
export function quarantineView ({ notify }: ViewContext): View {
  const bulk = bulkPanel('quarantine', update)

  async function release (ids: readonly string[], force: boolean): Promise<void> {
    const { released } = await post<Released>('/api/quarantine/release', { ids, force })
    const kept = released.filter(({ status }) => status !== 'released')
    notify(kept.length === 0 ? undefined : `${kept.length} of ${released.length} not released: ${kept[0]?.status ?? ''}.`)
    await update()
  }

  async function discard (id: string): Promise<void> {
    if (!confirm('Discard this delivery for good? Nothing brings it back.')) return
    await post('/api/quarantine/discard', { ids: [id] })
    notify(undefined)
    await update()
  }

  const columns: ReadonlyArray<Column<ListedDelivery>> = [
    { label: 'Received', cell: ({ id, receivedAt }) => element('a', { href: addressOf(['deliveries', id]), title: id }, time(receivedAt), element('span', { class: 'unseen' }, ` delivery ${id}`)) },
    { label: 'Event', cell: ({ eventType }) => eventCode(eventType) },
    { label: 'Customer', cell: ({ customerId, loyalty }) => customerLink(customerId, loyalty) },
    { label: 'Tier', cell: ({ loyalty }) => moveText(loyalty) },
    { label: 'Reasons', cell: ({ faults, verdict }) => faults.length === 0 ? verdict : faultList(faults) },
    {
      label: 'Action',
      cell: ({ id }) => [
        actionButton('Release anyway', async () => { await release([id], true) }, { of: id }),
        actionButton('Discard', async () => { await discard(id) }, { of: id })
      ]
    }
  ]

  async function update (): Promise<void> {
    await view.update()
  }

  // Slow, because counting the reasons takes long.
  const view = sectionView('Quarantine', async () => {
    const [{ deliveries, next }, parts] = await Promise.all([get<DeliveryPage>('/api/quarantine', { loyalty: 'true', limit: PAGE }), bulk.parts()])
    if (deliveries.length === 0) return [...parts, element('p', { class: 'quiet' }, 'Nothing is in quarantine.')]
    return [
      ...parts,
      element('div', { class: 'actions' }, actionButton('Validate these again, and release the valid ones', async () => { await release(deliveries.map(({ id }) => id), false) })),
      table(next === null ? 'All quarantined deliveries' : `The ${deliveries.length} newest; there are more`, columns, deliveries, ({ id }) => ({ 'data-key': id }))
    ]
  }, { slow: true })
  return view
}
