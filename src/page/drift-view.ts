import type { Difference } from './answers.js'
import { get } from './api.js'
import { element, table, type Column } from './element.js'
import { time } from './format.js'
import type { View } from './view.js'

const columns: ReadonlyArray<Column<Difference>> = [
  { label: 'Event', cell: ({ eventType }) => element('code', {}, eventType) },
  { label: 'Kind', cell: ({ kind }) => kind },
  { label: 'Where', cell: ({ pointer }) => element('code', {}, pointer) },
  { label: 'Expected', cell: ({ expected }) => expected },
  { label: 'Seen', cell: ({ seen }) => seen },
  { label: 'Count', number: true, cell: ({ count }) => count },
  { label: 'First', cell: ({ firstAt }) => time(firstAt) },
  { label: 'Last', cell: ({ lastAt }) => time(lastAt) }
]

/** How authentic bodies differed from their schemas. */
export function driftView (): View {
  const node = element('section', { 'aria-label': 'Drift', 'aria-busy': 'true' })

  async function update (): Promise<void> {
    const { differences, dropped } = await get<{ differences: readonly Difference[], dropped: number }>('/api/drift')
    node.removeAttribute('aria-busy')
    node.replaceChildren(
      differences.length === 0
        ? element('p', { class: 'quiet' }, 'All that was sent fits the schemas.')
        : table('How authentic bodies differed from their schemas', columns, differences),
      dropped === 0 ? '' : element('p', { class: 'quiet' }, `${dropped} more are not listed.`)
    )
  }

  return { node, update }
}
