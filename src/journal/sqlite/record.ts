import { crc32 } from 'node:zlib'
import type { Delivery, Verdict } from '../../delivery/delivery.js'
import type { Fault } from '../../errors.js'

/** `deliveries.hold` */
export const HOLD = { never: 0, quarantined: 1, released: 2, damaged: 3 } as const

/** The columns of `deliveries` that make a `Delivery`, in the order in which the queries select them. */
export const DELIVERY_COLUMNS = `d.sequence, d.id, d.received_at, d.event_type, d.verdict, d.hold, d.source_object, d.source_id, d.event_id,
  d.project_id, d.customer_id, d.campaign_id, d.duplicates, d.faults, d.headers, d.body_bytes, d.checksum`

export interface DeliveryRow {
  readonly sequence: number
  readonly id: string
  readonly received_at: number
  readonly event_type: string
  readonly verdict: Verdict
  readonly hold: number
  readonly source_object: string | null
  readonly source_id: string | null
  readonly event_id: string | null
  readonly project_id: string | null
  readonly customer_id: string | null
  readonly campaign_id: string | null
  readonly duplicates: number
  readonly faults: string | null
  readonly headers: string
  readonly body_bytes: number
  readonly checksum: number
}

/** What a record's checksum is made of: the bytes, and what says whose they are. */
export function checksum (record: { readonly id: string, readonly eventType: string, readonly rawBody: Uint8Array }): number {
  return crc32(record.rawBody, crc32(`${record.id}\n${record.eventType}\n`))
}

/** `undefined` where the record is damaged: its checksum is not the one that was stored, or it can't be read at all. */
export function toDelivery (row: DeliveryRow, rawBody: Uint8Array | undefined): Delivery | undefined {
  if (rawBody === undefined || checksum({ id: row.id, eventType: row.event_type, rawBody }) !== row.checksum) return undefined
  const faults = row.faults === null ? [] : parseJson<Fault[]>(row.faults)
  const headers = parseJson<Record<string, string>>(row.headers)
  if (faults === undefined || headers === undefined) return undefined
  return {
    sequence: row.sequence,
    id: row.id,
    receivedAt: row.received_at,
    eventType: row.event_type,
    verdict: row.verdict,
    faults,
    held: row.hold === HOLD.quarantined,
    dedupeKey: null,
    sourceObject: row.source_object,
    sourceId: row.source_id,
    eventId: row.event_id,
    projectId: row.project_id,
    customerId: row.customer_id,
    campaignId: row.campaign_id,
    headers,
    rawBody,
    duplicates: row.duplicates
  }
}

/** Our own JSON from our own column; only a damaged file makes it anything else. */
export function parseJson<T> (text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    // Damaged: the caller sets the record aside.
    return undefined
  }
}
