import type { Expectation, FailedSource, WebhookStatus } from './answers.js'
import { get } from './api.js'
import { badge, element, table, type Column, type Tone } from './element.js'
import { duration, time } from './format.js'
import type { View } from './view.js'
import { webhookStatusSection } from './webhook-status-section.js'

const sourceColumns: ReadonlyArray<Column<FailedSource>> = [
  { label: 'Source', cell: ({ sourceId, proven }) => [element('code', {}, sourceId), ' ', proven ? null : badge('unproven', 'quiet', 'The signature was wrong or missing, so somebody else may have sent it.')] },
  { label: 'Tries used', cell: (source) => badge(`${source.triesUsed} of ${source.triesAllowed}`, toneOf(source)) },
  { label: 'Switched off', cell: ({ recovered, disabledAt }) => recovered ? 'recovered' : disabledAt === null ? 'not known' : time(disabledAt) },
  { label: 'Failed events', number: true, cell: ({ failedEvents }) => failedEvents },
  { label: 'Last answer', cell: ({ lastCode, lastFailureAt }) => [element('code', {}, lastCode), ' ', time(lastFailureAt)] }
]

const expectationColumns: ReadonlyArray<Column<Expectation>> = [
  { label: 'Expected', cell: ({ expectation, withinMs }) => [element('code', {}, expectation), ` within ${duration(withinMs)}`] },
  { label: 'Last event', cell: ({ lastAt }) => lastAt === null ? 'none yet' : time(lastAt) },
  { label: 'Silent for', cell: ({ silentMs, silent }) => badge(duration(silentMs), silent ? 'bad' : 'good') }
]

/** How the webhook stands at the sender, how much of its patience is left, and whether it sends what it is expected to. */
export function senderView (): View {
  const node = element('section', { 'aria-label': 'Sender', 'aria-busy': 'true' })

  async function update (): Promise<void> {
    const [{ sources }, { expectations }, status] = await Promise.all([
      get<{ sources: readonly FailedSource[] }>('/api/patience'),
      get<{ expectations: readonly Expectation[] }>('/api/silence'),
      get<WebhookStatus>('/api/webhook-status')
    ])
    node.removeAttribute('aria-busy')
    node.replaceChildren(
      webhookStatusSection(status),
      element('h2', {}, 'Patience'),
      element('p', { class: 'quiet small' }, 'Voucherify tries an event again up to 12 times in 24 hours after any answer but a 2xx, and then switches the webhook off.'),
      sources.length === 0 ? element('p', {}, 'No source has met a failure of ours.') : table('Sources that got other answers than 2xx', sourceColumns, sources),
      element('h2', {}, 'Silence'),
      expectations.length === 0
        ? element('p', { class: 'quiet' }, 'Nothing is expected. Set EXPECT_EVENT_WITHIN to be warned when a source falls silent.')
        : table('What is expected', expectationColumns, expectations)
    )
  }

  return { node, update }
}

function toneOf ({ triesUsed, triesAllowed, recovered }: FailedSource): Tone {
  if (recovered || triesUsed === 0) return 'good'
  return triesUsed * 2 >= triesAllowed ? 'bad' : 'warn'
}
