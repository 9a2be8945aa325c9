import type { DeadLetter, Replayed } from './answers.js'
import { get, post } from './api.js'
import { bulkPanel } from './bulk-panel.js'
import { customerLink } from './customer-cell.js'
import { eventCode } from './delivery-columns.js'
import { actionButton, element, table, type Column } from './element.js'
import { time } from './format.js'
import { moveText } from './tiers.js'
import { addressOf, sectionView, type Address, type ViewContext, type View } from './view.js'

const PAGE = 50

function nameOf ({ forwarder, id }: DeadLetter): string {
  return `${forwarder}, ${id}`
}

/** Lists dead letters, newest first. */
export function deadLettersView ({ query }: Address, { notify }: ViewContext): View {
  const forwarder = query.get('forwarder') ?? ''
  const bulk = bulkPanel('dead letters', update)

  async function replay (letter: DeadLetter): Promise<void> {
    const { replays } = await post<Replayed>('/api/dead-letters/replay', { forwarder: letter.forwarder, ids: [letter.id] })
    notify(replays === 0 ? 'Nothing was replayed: a replay is under way, or the dead letter is gone.' : undefined)
    await update()
  }

  async function discard ({ forwarder, id }: DeadLetter): Promise<void> {
    if (!confirm(`Discard this dead letter of ${forwarder} for good? Nothing brings it back.`)) return
    await post('/api/dead-letters/discard', { forwarder, ids: [id] })
    notify(undefined)
    await update()
  }

  const columns: ReadonlyArray<Column<DeadLetter>> = [
    { label: 'Died', cell: ({ diedAt }) => time(diedAt) },
    { label: 'Forwarder', cell: ({ forwarder }) => forwarder },
    { label: 'Event', cell: ({ id, eventType }) => element('a', { href: addressOf(['deliveries', id]), title: id }, eventCode(eventType), element('span', { class: 'unseen' }, ` delivery ${id}`)) },
    { label: 'Customer', cell: ({ customerId, loyalty }) => customerLink(customerId, loyalty) },
    { label: 'Tier', cell: ({ loyalty }) => moveText(loyalty) },
    { label: 'Attempts', number: true, cell: ({ attempts }) => attempts },
    { label: 'Reason', cell: ({ reason }) => element('span', { class: 'long' }, reason) },
    {
      label: 'Action',
      cell: (letter) => letter.replaying
        ? 'replay under way'
        : [actionButton('Replay', async () => { await replay(letter) }, { of: nameOf(letter) }), actionButton('Discard', async () => { await discard(letter) }, { of: nameOf(letter) })]
    }
  ]

  async function update (): Promise<void> {
    await view.update()
  }

  // Slow, because counting the reasons takes long.
  const view = sectionView('Dead letters', async () => {
    const [{ deadLetters, next }, parts] = await Promise.all([get<{ deadLetters: readonly DeadLetter[], next: string | null }>('/api/dead-letters', { forwarder, loyalty: 'true', limit: PAGE }), bulk.parts()])
    return [...parts, deadLetters.length === 0
      ? element('p', { class: 'quiet' }, 'There are no dead letters.')
      : table(next === null ? 'Newest first' : `The ${deadLetters.length} newest; to list more, run: tierhook dead-letters`, columns, deadLetters, (letter) => ({ 'data-key': nameOf(letter) }))]
  }, { slow: true })
  return view
}
