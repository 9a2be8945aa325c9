import type { DeliveryPage, ListedDelivery } from './answers.js'
import { get } from './api.js'
import { tierName } from './tiers.js'

const PAGE = 200
/** How many deliveries to export at most, because the browser keeps them all in memory. */
const MAX_DELIVERIES = 20_000

export type ExportFormat = 'ndjson' | 'csv'

/** Saves the list as a file, in the same order. Resolves with the number of deliveries, and whether these are all. */
export async function exportDeliveries (query: Readonly<Record<string, string>>, format: ExportFormat): Promise<{ readonly count: number, readonly complete: boolean }> {
  const deliveries: ListedDelivery[] = []
  let cursor: string | undefined
  do {
    const page: DeliveryPage = await get<DeliveryPage>('/api/deliveries', { ...query, loyalty: 'true', limit: PAGE, cursor })
    deliveries.push(...page.deliveries)
    cursor = page.next ?? undefined
  } while (cursor !== undefined && deliveries.length < MAX_DELIVERIES)
  const text = format === 'csv' ? toCsv(deliveries) : deliveries.map((delivery) => `${JSON.stringify(delivery)}\n`).join('')
  save(text, `deliveries-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.${format}`, format === 'csv' ? 'text/csv' : 'application/x-ndjson')
  return { count: deliveries.length, complete: cursor === undefined }
}

const columns: ReadonlyArray<readonly [string, (delivery: ListedDelivery) => string | number | null]> = [
  ['id', ({ id }) => id],
  ['receivedAt', ({ receivedAt }) => receivedAt],
  ['eventType', ({ eventType }) => eventType],
  ['eventId', ({ eventId }) => eventId],
  ['customerId', ({ customerId }) => customerId],
  ['customerName', ({ loyalty }) => loyalty?.customerName ?? null],
  ['campaignId', ({ campaignId }) => campaignId],
  ['campaignName', ({ loyalty }) => loyalty?.campaignName ?? null],
  ['tierFrom', ({ loyalty }) => loyalty === null || loyalty === undefined ? null : tierName(loyalty.from)],
  ['tierTo', ({ loyalty }) => loyalty === null || loyalty === undefined ? null : tierName(loyalty.to)],
  ['sourceId', ({ sourceId }) => sourceId],
  ['verdict', ({ verdict }) => verdict],
  ['state', ({ state }) => state],
  ['duplicates', ({ duplicates }) => duplicates],
  ['forwarders', ({ forwarders }) => forwarders.map(({ forwarder, status }) => `${forwarder}=${status}`).join(' ')]
]

/** Formats deliveries as CSV (RFC 4180). */
function toCsv (deliveries: readonly ListedDelivery[]): string {
  const rows = [columns.map(([name]) => name), ...deliveries.map((delivery) => columns.map(([, value]) => value(delivery) ?? ''))]
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
}

/** Quotes a cell, so that a sender's text cannot become a formula in a spreadsheet. */
function csvCell (value: string | number): string {
  const text = String(value)
  return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}

function save (text: string, name: string, type: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
