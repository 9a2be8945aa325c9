import type { Difference } from './answers.js'
import { get, post } from './api.js'
import { actionButton, element, table, type Column } from './element.js'
import { time } from './format.js'
import { sectionView, type View } from './view.js'

const columns: ReadonlyArray<Column<Difference>> = [
  { label: 'Event', cell: ({ eventType }) => element('code', {}, eventType) },
  { label: 'Kind', cell: ({ kind, advice }) => [kind, ' ', advice === null ? null : element('span', { class: 'quiet small' }, advice)] },
  { label: 'Where', cell: ({ pointer }) => element('code', {}, pointer) },
  { label: 'Expected', cell: ({ expected }) => expected },
  { label: 'Seen', cell: ({ seen }) => seen },
  { label: 'Count', number: true, cell: ({ count }) => count },
  { label: 'First', cell: ({ firstAt }) => time(firstAt) },
  { label: 'Last', cell: ({ lastAt }) => time(lastAt) }
]

/** Lists how authentic bodies differed from their schemas. */
export function driftView (): View {
  const forgetButton = actionButton('Forget all drift', async () => {
    await post('/api/drift/reset', {})
    await view.update()
  })

  const view = sectionView('Drift', async () => {
    const { differences, dropped } = await get<{ differences: readonly Difference[], dropped: number }>('/api/drift')
    return [
      differences.length === 0
        ? element('p', { class: 'quiet' }, 'No event has differed from its schema since drift was last reset.')
        : table('How authentic bodies differed from their schemas', columns, differences),
      dropped === 0 ? '' : element('p', { class: 'quiet' }, `${dropped} more are not listed.`),
      differences.length + dropped === 0 ? '' : element('p', {}, forgetButton)
    ]
  })
  return view
}
