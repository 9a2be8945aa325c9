import type { BulkJob, Reasons } from './answers.js'
import { get, post } from './api.js'
import { actionButton, badge, element, table, type Child, type Column } from './element.js'
import { duration, plural } from './format.js'

type Group = Reasons['reasons'][number]

const rates = [1, 10, 50, 200]

const warnings: Readonly<Record<BulkJob['action'], string>> = {
  discard: ' Nothing brings them back.', release: ' They are forwarded although they are still invalid.', replay: ''
}

/** Bulk actions on deliveries with the same reason, and the progress of those running. */
export interface BulkPanel {
  readonly parts: () => Promise<Child[]>
}

export function bulkPanel (from: Group['from'], afterwards: () => Promise<void>): BulkPanel {
  const verb = from === 'quarantine' ? 'release' : 'replay'
  let rate = 10

  async function start (action: BulkJob['action'], { forwarder, reason, count }: Group): Promise<void> {
    const what = from === 'quarantine' ? plural(count, 'delivery') : `${plural(count, 'dead letter')} of ${forwarder ?? ''}`
    const question = `${titleOf(action)} ${what} with the reason “${reason}”? At ${rate} a second it takes about ${duration(Math.max(1000, count / rate * 1000))}.${warnings[action]}`
    if (!confirm(question)) return
    await post('/api/bulk', { from, action, reason, ratePerSecond: rate, ...(forwarder === undefined ? {} : { forwarder }) })
    await afterwards()
  }

  const nameOf = ({ forwarder, reason }: Group): string => [forwarder, reason].filter((part) => part !== undefined).join(', ')

  const columns: ReadonlyArray<Column<Group>> = [
    ...from === 'quarantine' ? [] : [{ label: 'Forwarder', cell: ({ forwarder }: Group) => forwarder }],
    { label: 'Reason', cell: ({ reason }) => element('span', { class: 'long' }, reason) },
    { label: 'Count', number: true, cell: ({ count }) => count.toLocaleString('en') },
    {
      label: 'Action for all',
      cell: (group) => [
        actionButton(`${titleOf(verb)} all`, async () => { await start(verb, group) }, { of: nameOf(group) }),
        actionButton('Discard all', async () => { await start('discard', group) }, { of: nameOf(group) })
      ]
    }
  ]

  return {
    async parts () {
      const [{ reasons, complete }, { jobs }] = await Promise.all([get<Reasons>('/api/reasons', { from }), get<{ jobs: readonly BulkJob[] }>('/api/bulk')])
      const mine = jobs.filter((job) => job.from === from)
      return [
        ...mine.length === 0 ? [] : [element('ul', { class: 'plain jobs', 'data-key': 'jobs', 'aria-label': 'Bulk actions' }, ...mine.slice(0, 5).map((job) => describeJob(job, afterwards)))],
        reasons.length === 0
          ? false
          : element('div', { 'data-key': 'reasons' },
            element('label', {}, 'Rate', element('select', { name: 'rate', on: { change: ({ currentTarget }) => { if (currentTarget instanceof HTMLSelectElement) rate = Number(currentTarget.value) } } },
              ...rates.map((each) => element('option', { value: each, selected: each === 10 }, `${each} a second`)))),
            table(complete ? 'By reason' : 'By reason, of the newest', columns, reasons, (group) => ({ 'data-key': nameOf(group) })))
      ]
    }
  }
}

/** Describes a bulk action, running or recently ended. */
function describeJob ({ id, action, forwarder, reason, total, gone, done, state }: BulkJob, afterwards: () => Promise<void>): HTMLElement {
  const tone = { running: 'warn', done: 'quiet', stopped: 'warn', failed: 'bad' } as const
  return element('li', { 'data-key': `job ${id}` },
    badge(state === 'running' ? 'under way' : state, tone[state]), ` ${titleOf(action)} “${reason}”${forwarder === undefined ? '' : ` of ${forwarder}`}: ${gone.toLocaleString('en')} of ${total.toLocaleString('en')}`,
    state !== 'running' && done < gone && `, ${gone - done} were gone or could not be changed`, ' ',
    state === 'running' && element('progress', { max: Math.max(1, total), value: gone, 'aria-label': `How far job ${id} is` }), ' ',
    state === 'running' && actionButton('Stop', async () => {
      await post(`/api/bulk/${id}/stop`, {})
      await afterwards()
    }, { of: `job ${id}` }))
}

function titleOf (action: string): string {
  return `${action.slice(0, 1).toUpperCase()}${action.slice(1)}`
}
