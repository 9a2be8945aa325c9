import type { Expectation, FailedSource, ForwarderState, HistoryReport, Need, Status, WebhookStatus } from './answers.js'
import { get } from './api.js'
import { badge, element, table, type Child, type Column, type Tone } from './element.js'
import { bytes, duration, plural, switchOff, time } from './format.js'
import { stateBadge } from './forwarders-view.js'
import { describeNeed, needsYou, placeOf } from './health.js'
import { bars, legend, sparkline } from './plot.js'
import { addressOf, sectionView, type Address, type View } from './view.js'

type SpanReport = HistoryReport['hour']
type ForwarderReport = SpanReport['forwarders'][number]

const spans = { hour: { label: '1 h', words: 'the last hour' }, day: { label: '24 h', words: 'the last 24 hours' } } as const
/** Rows of the table. A day has one row per hour. */
const ROWS = 24

/** Shows the overview: what needs the operator, accepted events, and the state of each forwarder. */
export function overviewView ({ query }: Address): View {
  const span = query.get('span') === 'day' ? 'day' : 'hour'
  return sectionView('Overview', async () => {
    const [status, history, { forwarders }, { sources }, { expectations }, webhook] = await Promise.all([
      get<Status>('/api/status'),
      get<HistoryReport>('/api/history'),
      get<{ forwarders: readonly ForwarderState[] }>('/api/forwarders'),
      get<{ sources: readonly FailedSource[] }>('/api/retry-budget'),
      get<{ expectations: readonly Expectation[] }>('/api/missing-events'),
      get<WebhookStatus>('/api/webhook-status')
    ])
    const report = history[span]
    return [
      element('p', { class: `sentence ${status.needs.length === 0 ? 'good' : 'bad'}` }, ...sentence(status.needs)),
      element('div', { class: 'heading' }, element('h2', {}, 'Events'), spanSwitch(span)),
      ...eventsPart(report, span),
      element('h2', {}, 'Forwarders'),
      table(`Attempts of ${spans[span].words}; backlog now and over time`, forwarderColumns(report, span), forwarders, ({ name }) => ({ 'data-key': name })),
      element('div', { class: 'cards' }, ...cards({ status, sources, expectations, webhook }))
    ]
  }, { slow: true })
}

function sentence (needs: readonly Need[]): Child[] {
  if (needs.length === 0) return ['Nothing needs you.']
  return [`${needsYou(needs.length)}: `, ...needs.flatMap((need, index) => [index === 0 ? '' : '; ', element('a', { href: placeOf(need) }, describeNeed(need))]), '.']
}

function spanSwitch (chosen: keyof typeof spans): HTMLElement {
  return element('p', { class: 'switch' }, ...(['hour', 'day'] as const).map((name) => element('a', {
    href: addressOf(['overview'], { span: name }), 'aria-current': name === chosen ? 'true' : undefined, 'aria-label': `Show ${spans[name].words}`
  }, spans[name].label)))
}

function eventsPart ({ types, startedAt, everyMs }: SpanReport, span: keyof typeof spans): Child[] {
  const series = types.map(({ eventType, counts }) => ({ name: eventType, counts }))
  const total = sum(series.flatMap(({ counts }) => counts))
  if (total === 0) return [element('p', { class: 'quiet' }, `No event was accepted in ${spans[span].words}.`)]
  const each = everyMs === 60_000 ? 'a minute' : `in ${duration(everyMs)}`
  const most = Math.max(...(series[0]?.counts ?? []).map((_, index) => sum(series.map(({ counts }) => counts[index] ?? 0))))
  const slots = series[0]?.counts.length ?? 0
  const perRow = Math.max(1, Math.floor(slots / ROWS))
  const rows = Array.from({ length: Math.ceil(slots / perRow) }, (_, index) => slots - (index + 1) * perRow).map((start) => Math.max(0, start))
  return [
    element('p', { class: 'quiet small' }, `${plural(total, 'event')} accepted in ${spans[span].words}, at most ${most.toLocaleString('en')} ${each}. Times are UTC.`),
    bars({ label: `Accepted events ${each} by type, ${spans[span].words}: ${plural(total, 'event')}, at most ${most} ${each}. The table below has the same.`, startedAt, everyMs, series }),
    legend(series),
    element('details', {}, element('summary', {}, 'The same as a table'),
      table(`Accepted events by type, newest first, in parts of ${duration(everyMs * perRow)}`, [
        { label: 'From', cell: (start: number) => `${new Date(Date.parse(startedAt) + start * everyMs).toISOString().slice(11, 16)} UTC` },
        ...series.map(({ name, counts }): Column<number> => ({ label: name, number: true, cell: (start) => sum(counts.slice(start, start + perRow)) }))
      ], rows))
  ]
}

function forwarderColumns ({ forwarders }: SpanReport, span: keyof typeof spans): ReadonlyArray<Column<ForwarderState>> {
  const reportOf = (name: string): ForwarderReport | undefined => forwarders.find((each) => each.name === name)
  const ms = (value: number | null | undefined): string => value === null || value === undefined ? '–' : duration(Math.max(1, value))
  return [
    { label: 'Forwarder', cell: ({ name }) => element('a', { href: addressOf(['deliveries'], { forwarder: name }) }, name) },
    { label: 'State', cell: stateBadge },
    { label: 'Success', number: true, cell: ({ name }) => successOf(reportOf(name)) },
    { label: 'Attempts', number: true, cell: ({ name }) => (reportOf(name)?.attempts ?? 0).toLocaleString('en') },
    { label: 'p50', number: true, cell: ({ name }) => ms(reportOf(name)?.p50Ms) },
    { label: 'p95', number: true, cell: ({ name }) => ms(reportOf(name)?.p95Ms) },
    { label: 'Backlog', number: true, cell: ({ pending, retrying }) => (pending + retrying).toLocaleString('en') },
    {
      label: 'Backlog over time',
      cell: ({ name }) => {
        const values = reportOf(name)?.backlog ?? []
        const most = Math.max(0, ...values.map((value) => value ?? 0))
        return sparkline(values, `Backlog of ${name} in ${spans[span].words}: at most ${most}`)
      }
    },
    { label: 'Dead letters', number: true, cell: ({ dead, name }) => dead === 0 ? 0 : element('a', { href: addressOf(['dead-letters'], { forwarder: name }), 'aria-label': `${plural(dead, 'dead letter')} of ${name}` }, String(dead)) }
  ]
}

function successOf (report: ForwarderReport | undefined): Child {
  if (report === undefined || report.successRate === null) return '–'
  const rate = report.successRate
  // Rounded down, because rounding up to 100 % would hide a failure.
  const text = `${(Math.floor(rate * 1000) / 10).toFixed(rate === 1 ? 0 : 1)} %`
  return badge(text, rate === 1 ? 'good' : rate >= 0.95 ? 'warn' : 'bad')
}

interface Facts {
  readonly status: Status
  readonly sources: readonly FailedSource[]
  readonly expectations: readonly Expectation[]
  readonly webhook: WebhookStatus
}

function cards ({ status, sources, expectations, webhook }: Facts): HTMLElement[] {
  const failed = sources.filter(({ recovered, triesUsed }) => !recovered && triesUsed > 0)
  const missing = expectations.filter((each) => each.missing)
  const wrong = webhook.checks.filter(({ state }) => state === 'wrong')
  const unknown = webhook.checks.filter(({ state }) => state === 'unknown')
  return [
    card('Retry budget', '#/sender',
      ...failed.length === 0
        ? [badge('nothing used', 'good'), ' Voucherify has used none of its tries.']
        : failed.flatMap((source) => [badge(`${source.triesUsed} of ${source.triesAllowed} tries`, 'bad'), ` of ${source.sourceId}. It switches the webhook off: `, ...switchOff(source.disabledAt), '. '])),
    card('Missing events', '#/sender',
      ...expectations.length === 0
        ? [badge('not watched', 'quiet'), ' Set EXPECT_EVENT_WITHIN to be warned of missing events.']
        : missing.length === 0
          ? [badge('none missing', 'good'), ` ${plural(expectations.length, 'expectation')} met.`]
          : missing.flatMap(({ expectation, lastAt }) => [badge('missing', 'bad'), ' ', element('code', {}, expectation), ...lastAt === null ? [', none yet. '] : [', last ', time(lastAt), '. ']])),
    card('Webhook at Voucherify', '#/sender',
      ...!webhook.watching
        ? [badge('not watched', 'quiet'), ' Set VOUCHERIFY_MANAGEMENT_ID to watch it.']
        : webhook.failure !== null || webhook.checks.length === 0 || (wrong.length === 0 && unknown.length > 0)
          ? [badge('not known', 'warn'), ` ${webhook.failure?.reason ?? 'Voucherify has not answered everything yet.'}`]
          : wrong.length === 0 ? [badge('well', 'good'), ' Points here, and is switched on.'] : wrong.flatMap(({ detail }) => [badge('wrong', 'bad'), ` ${detail} `])),
    card('Disk', '#/forwarders',
      badge(...diskBadge(status)),
      status.storeBytes === null ? ' The size of the store is not known.' : ` The store takes ${bytes(status.storeBytes)}.`)
  ]
}

function diskBadge ({ diskFreeBytes, reasons }: Status): [string, Tone] {
  if (diskFreeBytes === null) return ['not known', 'warn']
  return [`${bytes(diskFreeBytes)} free`, reasons.some((reason) => reason.includes('disk')) ? 'bad' : 'good']
}

function card (title: string, href: string, ...content: readonly Child[]): HTMLElement {
  return element('section', { class: 'card', 'aria-label': title }, element('h3', {}, element('a', { href }, title)), element('p', {}, ...content))
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
