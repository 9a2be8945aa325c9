import type { WebhookStatus } from './answers.js'
import { badge, element, table, type Column, type Tone } from './element.js'
import { time } from './format.js'

type Check = WebhookStatus['checks'][number]

const labels: Readonly<Record<Check['check'], string>> = {
  webhook: 'Points here', active: 'Switched on', events: 'Tier events ticked', secret: 'Secret', version: 'Version'
}
const tones: Readonly<Record<Check['state'], Tone>> = { ok: 'good', wrong: 'bad', unknown: 'warn' }

const columns: ReadonlyArray<Column<Check>> = [
  { label: 'Check', cell: ({ check }) => labels[check] },
  { label: 'State', cell: ({ state }) => badge(state, tones[state]) },
  { label: 'Since', cell: ({ since }) => time(since) },
  { label: 'Finding', cell: ({ detail }) => detail }
]

/** Shows the webhook's state at Voucherify, and what the API cannot tell. */
export function webhookStatusSection ({ watching, askedAt, failure, checks, switchedOn, cannotSee }: WebhookStatus): HTMLElement {
  return element('div', {},
    element('h2', {}, 'Webhook at Voucherify'),
    element('p', { class: 'quiet small' }, cannotSee),
    !watching && element('p', { class: 'quiet' }, 'Not watched. Set VOUCHERIFY_MANAGEMENT_ID and the settings that go with it to be warned when the webhook is switched off.'),
    failure !== null && element('p', {}, badge('not answered', 'warn'), ' ', failure.reason, ' Since ', time(failure.since), '.'),
    watching && element('p', { class: 'small' }, ...askedAt === null ? ['Voucherify has not answered everything yet.'] : ['Last answered ', time(askedAt), '.']),
    checks.length > 0 && table('Checks', columns, checks),
    ...switchedOn.map(({ webhookId, at }) => element('p', { class: 'small' }, 'The watchdog switched on ', element('code', {}, webhookId), ' ', time(at), '.'))
  )
}
