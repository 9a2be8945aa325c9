import type { ForwarderState } from './answers.js'
import { get, post } from './api.js'
import { actionButton, badge, element, table, type Column } from './element.js'
import { age } from './format.js'
import { addressOf, sectionView, type View } from './view.js'

/** Lists forwarders with their backlogs and circuit breakers. */
export function forwardersView (): View {
  const columns: ReadonlyArray<Column<ForwarderState>> = [
    { label: 'Forwarder', cell: ({ name }) => element('strong', {}, name) },
    { label: 'Destination', cell: ({ type, destination }) => element('span', { class: 'long' }, [type, destination].filter((part) => part !== undefined).join(' ')) },
    { label: 'State', cell: stateBadge },
    { label: 'Pending', number: true, cell: ({ pending }) => pending },
    { label: 'Retrying', number: true, cell: ({ retrying }) => retrying },
    { label: 'Oldest', cell: ({ oldestReceivedAt }) => oldestReceivedAt === null ? '' : age(oldestReceivedAt) },
    { label: 'Dead', number: true, cell: ({ dead, name }) => dead === 0 ? 0 : element('a', { href: addressOf(['dead-letters'], { forwarder: name }) }, String(dead)) },
    {
      label: 'Action',
      cell: ({ name, paused, configured }) => configured && actionButton(paused ? 'Resume' : 'Pause', async () => {
        await post(`/api/forwarders/${encodeURIComponent(name)}/${paused ? 'resume' : 'pause'}`, {})
        await view.update()
      }, { of: name })
    }
  ]

  const view = sectionView('Forwarders', async () => {
    const { forwarders } = await get<{ forwarders: readonly ForwarderState[] }>('/api/forwarders')
    return [
      table('Pending: not tried yet. Retrying: waits for another attempt, or behind a delivery that does.', columns, forwarders, ({ name }) => ({ 'data-key': name })),
      element('p', { class: 'quiet small' }, 'A restart keeps a pause. Meanwhile deliveries are still accepted and stored.')
    ]
  })
  return view
}

/** Shows a forwarder's state. It is green only if the last attempt succeeded. */
export function stateBadge ({ configured, paused, breaker, lastOutcome }: ForwarderState): HTMLElement {
  if (!configured) return badge('not configured', 'warn', 'Its waiting deliveries are kept. Configure it again under the same name, or remove it with: tierhook forwarders forget')
  if (paused) return badge('paused by an operator', 'warn')
  if (breaker === 'open') return badge('paused: destination fails', 'bad', 'It is probed with one delivery at a time.')
  if (breaker !== 'closed') return badge('probing', 'warn')
  if (lastOutcome === undefined) return badge('running, nothing tried yet', 'quiet')
  return lastOutcome.status === 'forwarded' ? badge('running', 'good') : badge(`last attempt: ${lastOutcome.status}`, 'warn', lastOutcome.reason)
}
