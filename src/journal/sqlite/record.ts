import { crc32 } from 'node:zlib'
import type { Delivery, EventPlace, NewDelivery, Verdict } from '../../delivery/delivery.js'
import type { Fault } from '../../errors.js'

/** `deliveries.hold` */
export const HOLD = { never: 0, quarantined: 1, released: 2, damaged: 3, erased: 4 } as const

/** The columns of `deliveries` that make a record. */
export const DELIVERY_COLUMNS = `d.sequence, d.received_at, d.hold, d.duplicates, d.body_bytes, d.event_start, d.event_end, d.checksum, d.id, d.event_type,
  d.verdict, d.source_object, d.source_id, d.event_id, d.project_id, d.customer_id, d.campaign_id, d.faults, d.headers`

/** A row with text in the place of bytes, which one flipped bit makes of text: then it differs from what was written, and so from its checksum. */
export function toText<T extends object> (row: object): T {
  return Object.fromEntries(Object.entries(row).map(([name, value]: [string, unknown]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString() : value])) as T
}

export function toRow (row: object | undefined): DeliveryRow | undefined {
  return row === undefined ? undefined : toText<DeliveryRow>(row)
}

export function toRows (rows: readonly object[]): readonly DeliveryRow[] {
  return rows.map((row) => toText<DeliveryRow>(row))
}

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
  /** Both or none: most of what is `valid` has them. */
  readonly event_start: number | null
  readonly event_end: number | null
  readonly checksum: number
}

/** What of a record never changes, or only together with its checksum. */
export type CheckedColumns = Omit<DeliveryRow, 'sequence' | 'duplicates' | 'checksum'>

/** The columns that the checksum is taken of, in the order in which they are written down, but for where the event's text stands. */
export type PlacelessValues = readonly [
  id: string, receivedAt: number, eventType: string, verdict: Verdict, hold: number, sourceObject: string | null, sourceId: string | null,
  eventId: string | null, projectId: string | null, customerId: string | null, campaignId: string | null, faults: string | null,
  headers: string, bodyBytes: number
]

/**
 * All of them. Where the event's text stands is left out where it is not known: so what was stored before that was written down has the
 * checksum that it was given.
 */
export type RecordValues = readonly [...PlacelessValues, eventStart?: number, eventEnd?: number]

/** A record as one line of JSON: what its checksum is taken of. */
export function recordText (row: CheckedColumns): string {
  const values: RecordValues = [
    row.id, row.received_at, row.event_type, row.verdict, row.hold, row.source_object, row.source_id, row.event_id, row.project_id,
    row.customer_id, row.campaign_id, row.faults, row.headers, row.body_bytes
  ]
  // Only damage leaves one of the two.
  return JSON.stringify(row.event_start === null && row.event_end === null ? values : [...values, row.event_start, row.event_end])
}

/** The same record once it is known where its event's text stands. */
export function withEventPlace (text: string, { start, end }: EventPlace): string {
  return `${text.slice(0, -1)},${start},${end}]`
}

const ALWAYS_CHECKED = `d.id, d.received_at, d.event_type, d.verdict, d.hold, d.source_object, d.source_id, d.event_id, d.project_id,
  d.customer_id, d.campaign_id, d.faults, d.headers, d.body_bytes`

/** `recordText` in SQL. Where SQLite should ever write a text in another way, the checksum differs, and nothing is concluded from that alone. */
export const CHECKED_TEXT = `iif(coalesce(d.event_start, d.event_end) IS NULL, json_array(${ALWAYS_CHECKED}), json_array(${ALWAYS_CHECKED}, d.event_start, d.event_end))`

/** The values of a line that was made just now by `recordText`, of a delivery that is new. */
export function fromRecordText (text: string): PlacelessValues {
  return JSON.parse(text) as PlacelessValues
}

/** A record's checksum: of the bytes, and of all that says what they are and what is to become of them. */
export function checksum (row: CheckedColumns, rawBody: Uint8Array): number {
  return textChecksum(recordText(row), rawBody)
}

/** The same of a record's text. */
export function textChecksum (text: string | Uint8Array, rawBody: Uint8Array): number {
  const ofText = crc32(text)
  // Of no bytes, as an erased record has, zlib may return 0 and not the sum so far: where there is no memory behind them.
  return rawBody.byteLength === 0 ? ofText : crc32(rawBody, ofText)
}

/** The checksum of a forwarder's place in the journal. */
export function cursorChecksum (forwarder: string, cursor: number): number {
  return crc32(`${forwarder}\n${cursor}`)
}

export function toColumns (delivery: NewDelivery): CheckedColumns {
  return {
    id: delivery.id,
    received_at: delivery.receivedAt,
    event_type: delivery.eventType,
    verdict: delivery.verdict,
    hold: delivery.held ? HOLD.quarantined : HOLD.never,
    source_object: delivery.sourceObject,
    source_id: delivery.sourceId,
    event_id: delivery.eventId,
    project_id: delivery.projectId,
    customer_id: delivery.customerId,
    campaign_id: delivery.campaignId,
    faults: delivery.faults.length > 0 ? JSON.stringify(delivery.faults) : null,
    headers: JSON.stringify(delivery.headers),
    body_bytes: delivery.rawBody.byteLength,
    event_start: null,
    event_end: null
  }
}

/** `undefined` where the record is damaged: its checksum is not the one that was stored, or it can't be read at all. */
export function toDelivery (row: DeliveryRow, rawBody: Uint8Array | undefined): Delivery | undefined {
  if (rawBody === undefined || checksum(row, rawBody) !== row.checksum) return undefined
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
