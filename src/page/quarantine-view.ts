import type { DeliveryPage, ListedDelivery } from './answers.js'
import { get, post } from './api.js'
import { faultList } from './delivery-view.js'
import { actionButton, element, table, type Column } from './element.js'
import { time } from './format.js'
import { addressOf, type Surroundings, type View } from './view.js'

const PAGE = 50

interface Released {
  readonly released: ReadonlyArray<{ readonly id: string, readonly status: string }>
}

/** What is held back, with the reasons. */
export function quarantineView ({ notify }: Surroundings): View {
  const node = element('section', { 'aria-label': 'Quarantine', 'aria-busy': 'true' })

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
    { label: 'Received', cell: ({ id, receivedAt }) => element('a', { href: addressOf(['deliveries', id]) }, time(receivedAt)) },
    { label: 'Event', cell: ({ eventType }) => element('code', {}, eventType) },
    { label: 'Customer', cell: ({ customerId }) => customerId ?? '–' },
    { label: 'Reasons', cell: ({ faults, verdict }) => faults.length === 0 ? verdict : faultList(faults) },
    {
      label: 'Action',
      cell: ({ id }) => [
        actionButton('Release all the same', async () => { await release([id], true) }),
        actionButton('Discard', async () => { await discard(id) })
      ]
    }
  ]

  async function update (): Promise<void> {
    const { deliveries, next } = await get<DeliveryPage>('/api/quarantine', { limit: PAGE })
    node.removeAttribute('aria-busy')
    if (deliveries.length === 0) {
      node.replaceChildren(element('p', { class: 'quiet' }, 'Nothing is held back.'))
      return
    }
    node.replaceChildren(
      element('div', { class: 'actions' }, actionButton('Validate these again, and release what is valid now', async () => { await release(deliveries.map(({ id }) => id), false) })),
      table(next === null ? 'All that is held' : `The ${deliveries.length} newest; there are more`, columns, deliveries)
    )
  }

  return { node, update }
}
