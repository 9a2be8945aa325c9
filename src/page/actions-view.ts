import type { RecordedAction } from './answers.js'
import { get } from './api.js'
import { element, table, type Child, type Column } from './element.js'
import { time } from './format.js'
import { shortId } from './tiers.js'
import { addressOf, sectionView, type View } from './view.js'

const columns: ReadonlyArray<Column<RecordedAction>> = [
  { label: 'When', cell: ({ at }) => time(at) },
  { label: 'Who', cell: (action) => action.via === 'listener' ? [action.token ?? 'no token needed', ' ', element('span', { class: 'quiet' }, `from ${action.sourceAddress}`)] : [action.user, ' ', element('span', { class: 'quiet' }, 'by a command')] },
  { label: 'What', cell: ({ action, from, force, ended }) => `${action}${from === undefined ? '' : `, ${from}`}${force === true ? ', forced' : ''}${ended === undefined ? '' : ` (${ended})`}` },
  { label: 'Forwarders', cell: ({ forwarders }) => forwarders?.join(', ') ?? '' },
  { label: 'Count', number: true, cell: ({ count }) => count ?? '' },
  { label: 'Which', cell: (action) => whichOf(action) }
]

function whichOf ({ deliveryIds = [], filter = {}, file }: RecordedAction): Child[] {
  return [
    ...deliveryIds.slice(0, 3).flatMap((id) => [element('a', { href: addressOf(['deliveries', id]), title: id }, shortId(id), element('span', { class: 'unseen' }, ` ${id}`)), ' ']),
    deliveryIds.length > 3 && `and ${deliveryIds.length - 3} more`,
    Object.entries(filter).map(([name, value]) => `${name}: ${value}`).join(', '),
    file
  ]
}

/** Lists operators' actions, at the listener and by commands. */
export function actionsView (): View {
  return sectionView('Actions', async () => {
    const { actions } = await get<{ actions: readonly RecordedAction[] }>('/api/actions')
    return [actions.length === 0 ? element('p', { class: 'quiet' }, 'No action is recorded yet.') : table('Newest first. The log has the same actions', columns, actions)]
  }, { slow: true })
}
