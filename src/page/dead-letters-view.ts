import type { DeadLetter, Replayed } from './answers.js'
import { get, post } from './api.js'
import { actionButton, element, table, type Column } from './element.js'
import { time } from './format.js'
import { addressOf, type Address, type Surroundings, type View } from './view.js'

const PAGE = 50

/** What forwarders gave up on, newest first. */
export function deadLettersView ({ query }: Address, { notify }: Surroundings): View {
  const forwarder = query.get('forwarder') ?? ''
  const node = element('section', { 'aria-label': 'Dead letters', 'aria-busy': 'true' })

  async function replay (letter: DeadLetter): Promise<void> {
    const { replays } = await post<Replayed>('/api/dead-letters/replay', { forwarder: letter.forwarder, ids: [letter.id] })
    notify(replays === 0 ? 'Nothing to replay: it is under way, or gone.' : undefined)
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
    { label: 'Event', cell: ({ id, eventType }) => element('a', { href: addressOf(['deliveries', id]) }, eventType) },
    { label: 'Customer', cell: ({ customerId }) => customerId ?? '–' },
    { label: 'Attempts', number: true, cell: ({ attempts }) => attempts },
    { label: 'Reason', cell: ({ reason }) => reason },
    {
      label: 'Action',
      cell: (letter) => letter.replaying
        ? 'replay under way'
        : [actionButton('Replay', async () => { await replay(letter) }), actionButton('Discard', async () => { await discard(letter) })]
    }
  ]

  async function update (): Promise<void> {
    const { deadLetters, next } = await get<{ deadLetters: readonly DeadLetter[], next: string | null }>('/api/dead-letters', { forwarder, limit: PAGE })
    node.removeAttribute('aria-busy')
    node.replaceChildren(deadLetters.length === 0
      ? element('p', { class: 'quiet' }, 'There are no dead letters.')
      : table(next === null ? 'Newest first' : `The ${deadLetters.length} newest; there are more, which tierhook dead-letters lists`, columns, deadLetters))
  }

  return { node, update }
}
