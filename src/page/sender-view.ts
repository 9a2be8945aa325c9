import type { Expectation, FailedSource, Unproven, WebhookStatus } from './answers.js'
import { get } from './api.js'
import { badge, element, table, type Column, type Tone } from './element.js'
import { duration, switchOff, time } from './format.js'
import { unprovenSection } from './unproven-section.js'
import { sectionView, type View } from './view.js'
import { webhookStatusSection } from './webhook-status-section.js'

const sourceColumns: ReadonlyArray<Column<FailedSource>> = [
  { label: 'Source', cell: ({ sourceId }) => element('code', {}, sourceId) },
  { label: 'Tries used', cell: (source) => badge(`${source.triesUsed} of ${source.triesAllowed}`, toneOf(source)) },
  { label: 'Voucherify switches it off', cell: ({ recovered, disabledAt }) => recovered ? 'no: recovered' : switchOff(disabledAt) },
  { label: 'Failed events', number: true, cell: ({ failedEvents }) => failedEvents },
  { label: 'Last answer', cell: ({ lastCode, lastFailureAt }) => [element('code', {}, lastCode), ' ', time(lastFailureAt)] }
]

const expectationColumns: ReadonlyArray<Column<Expectation>> = [
  { label: 'Expected', cell: ({ expectation, withinMs }) => [element('code', {}, expectation), ` within ${duration(withinMs)}`] },
  { label: 'Last event', cell: ({ lastAt }) => lastAt === null ? 'none yet' : time(lastAt) },
  { label: 'Nothing for', cell: ({ ageMs, missing }) => badge(duration(ageMs), missing ? 'bad' : 'good') }
]

/** Shows the webhook's state at Voucherify, the retry budget, and missing events. */
export function senderView (): View {
  return sectionView('Sender', async () => {
    const [{ sources, unproven }, { expectations }, status] = await Promise.all([
      get<{ sources: readonly FailedSource[], unproven: Unproven }>('/api/retry-budget'),
      get<{ expectations: readonly Expectation[] }>('/api/missing-events'),
      get<WebhookStatus>('/api/webhook-status')
    ])
    return [
      webhookStatusSection(status),
      element('h2', {}, 'Retry budget'),
      element('p', { class: 'quiet small' }, 'Voucherify tries an event again up to 12 times in 24 hours after any answer but a 2xx, and then switches the webhook off.'),
      sources.length === 0 ? element('p', {}, 'No signed webhook has failed.') : table('Sources whose signed webhooks were not answered 2xx', sourceColumns, sources),
      unprovenSection(unproven),
      element('h2', {}, 'Missing events'),
      expectations.length === 0
        ? element('p', { class: 'quiet' }, 'Nothing is expected. Set EXPECT_EVENT_WITHIN to be warned of missing events.')
        : table('What is expected', expectationColumns, expectations)
    ]
  })
}

function toneOf ({ triesUsed, triesAllowed, recovered }: FailedSource): Tone {
  if (recovered || triesUsed === 0) return 'good'
  return triesUsed * 2 >= triesAllowed ? 'bad' : 'warn'
}
