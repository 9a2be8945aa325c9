import type { ForwarderState } from './answers.js'
import { get, post } from './api.js'
import { actionButton, badge, element, table, type Column } from './element.js'
import { age } from './format.js'
import { addressOf, type View } from './view.js'

/** The forwarders with their backlogs and circuit breakers. */
export function forwardersView (): View {
  const node = element('section', { 'aria-label': 'Forwarders', 'aria-busy': 'true' })

  const columns: ReadonlyArray<Column<ForwarderState>> = [
    { label: 'Forwarder', cell: ({ name }) => element('strong', {}, name) },
    { label: 'Destination', cell: ({ type, destination }) => [type, destination].filter((part) => part !== undefined).join(' ') },
    { label: 'State', cell: stateBadge },
    { label: 'Pending', number: true, cell: ({ pending }) => pending },
    { label: 'Waiting', number: true, cell: ({ waiting }) => waiting },
    { label: 'Oldest', cell: ({ oldestReceivedAt }) => oldestReceivedAt === null ? '' : age(oldestReceivedAt) },
    { label: 'Dead', number: true, cell: ({ dead, name }) => dead === 0 ? 0 : element('a', { href: addressOf(['dead-letters'], { forwarder: name }) }, String(dead)) },
    {
      label: 'Action',
      cell: ({ name, paused, configured }) => configured && actionButton(paused ? 'Resume' : 'Pause', async () => {
        await post(`/api/forwarders/${encodeURIComponent(name)}/${paused ? 'resume' : 'pause'}`, {})
        await update()
      })
    }
  ]

  async function update (): Promise<void> {
    const { forwarders } = await get<{ forwarders: readonly ForwarderState[] }>('/api/forwarders')
    node.removeAttribute('aria-busy')
    node.replaceChildren(
      table('Pending: not yet tried. Waiting: to be tried again, or behind one that is.', columns, forwarders),
      element('p', { class: 'quiet small' }, 'A pause ends with the service. Deliveries go on being accepted and are kept.')
    )
  }

  return { node, update }
}

function stateBadge ({ configured, paused, breaker }: ForwarderState): HTMLElement {
  if (!configured) return badge('not configured', 'warn', 'What waits for it is kept. It goes on under the same name, or ends with: tierhook forwarders forget')
  if (paused) return badge('paused by a person', 'warn')
  if (breaker === 'open') return badge('paused: destination fails', 'bad', 'It is probed with one delivery at a time.')
  return breaker === 'closed' ? badge('running', 'good') : badge('probing', 'warn')
}
