import { crc32 } from 'node:zlib'
import type { Delivery, NewDelivery } from '../delivery/delivery.js'
import type { DeliveryState, ForwarderStatus, ListedDelivery } from '../delivery/listing.js'
import type { Replayed } from '../delivery/operator-requests.js'
import type { Fault } from '../errors/problem.js'

/**
 * A delivery's state, as the column `deliveries.hold` stores it. The column keeps its first name: during an update of a fleet,
 * replicas of an older release read it by that name.
 */
export const STATE = { accepted: 0, quarantined: 1, released: 2, damaged: 3, erased: 4 } as const satisfies Record<DeliveryState, number>

/** Indexed by their numbers. */
const STATES = Object.keys(STATE) as readonly DeliveryState[]

/** An unknown number means damage. */
function stateOf (number: number): DeliveryState {
  return STATES[number] ?? 'damaged'
}

/** Why a delivery in this state cannot be replayed; `undefined` if it can. `number` is `undefined` if there is no such delivery. */
export function replayRefusal (number: number | undefined): Replayed['refused'][number]['why'] | undefined {
  if (number === undefined) return 'gone'
  const state = stateOf(number)
  return state === 'accepted' || state === 'released' ? undefined : state
}

/**
 * The columns of a record, and how to read each from a new delivery. The checksum covers them in this order. A new column goes to the
 * end, may be null, and needs a migration of the schema.
 */
const COLUMNS = {
  id: (delivery: NewDelivery) => delivery.id,
  received_at: (delivery: NewDelivery) => delivery.receivedAt,
  event_type: (delivery: NewDelivery) => delivery.eventType,
  verdict: (delivery: NewDelivery) => delivery.verdict,
  hold: (delivery: NewDelivery): number => delivery.quarantined ? STATE.quarantined : STATE.accepted,
  source_object: (delivery: NewDelivery) => delivery.sourceObject,
  source_id: (delivery: NewDelivery) => delivery.sourceId,
  event_id: (delivery: NewDelivery) => delivery.eventId,
  project_id: (delivery: NewDelivery) => delivery.projectId,
  customer_id: (delivery: NewDelivery) => delivery.customerId,
  campaign_id: (delivery: NewDelivery) => delivery.campaignId,
  faults: (delivery: NewDelivery): string | null => delivery.faults.length > 0 ? JSON.stringify(delivery.faults) : null,
  headers: (delivery: NewDelivery): string => JSON.stringify(delivery.headers),
  body_bytes: (delivery: NewDelivery): number => delivery.rawBody.byteLength
}

type ColumnName = keyof typeof COLUMNS

const NAMES = Object.keys(COLUMNS) as readonly ColumnName[]
const VALUES = Object.values(COLUMNS)

/** The column values that replace the content of an erased record. */
export const TOMBSTONE = {
  hold: STATE.erased, event_id: null, customer_id: null, campaign_id: null, faults: null, headers: '{}', body_bytes: 0, event_start: null, event_end: null
} as const

/** The columns that the checksum covers. They never change, or only together with it. */
export type CheckedColumns = { readonly [K in ColumnName]: ReturnType<(typeof COLUMNS)[K]> } & {
  /** Both are set, or neither. New records set neither. */
  readonly event_start: number | null
  readonly event_end: number | null
}

export interface DeliveryRow extends CheckedColumns {
  readonly sequence: number
  readonly duplicates: number
  readonly checksum: number
}

/** The columns of the table `deliveries d` that make a `DeliveryRow`. */
export const DELIVERY_COLUMNS = ['sequence', ...NAMES, 'duplicates', 'event_start', 'event_end', 'checksum'].map((name) => `d.${name}`).join(', ')

/** The values of a record by column name. */
export function namedValues (values: RecordValues): Readonly<Record<string, string | number | null>> {
  return Object.fromEntries(NAMES.map((name, index) => [name, values[index] ?? null]))
}

/** Inserts a new record. Its parameters are the record's values and its checksum. */
export const INSERT_DELIVERY = `INSERT INTO deliveries (${NAMES.join(', ')}, checksum) VALUES (${[...NAMES, 'checksum'].map(() => '?').join(', ')})`

/** The values of a new record, in the order of the columns. */
export type RecordValues = ReadonlyArray<string | number | null>

export function recordValues (delivery: NewDelivery): RecordValues {
  return VALUES.map((valueOf) => valueOf(delivery))
}

/** Parses the text of a record into its values. Missing values at the end are null. */
export function parseRecordText (text: string): RecordValues {
  // tierhook made this JSON a moment ago, so it is valid.
  const values = JSON.parse(text) as Array<string | number | null>
  while (values.length < NAMES.length) values.push(null)
  return values
}

/** The value of one column of a record that is not stored yet. */
export function valueIn (values: RecordValues, name: ColumnName): string | number | null {
  return values[NAMES.indexOf(name)] ?? null
}

/** Turns bytes in a row back into text. A flipped bit can turn a text value into bytes; its content then no longer matches the checksum. */
export function toText<T extends object> (row: object): T {
  // Nearly every row is sound, and copying a row takes longer than reading it.
  if (!Object.values(row).some((value) => value instanceof Uint8Array)) return row as T
  return Object.fromEntries(Object.entries(row).map(([name, value]: [string, unknown]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString() : value])) as T
}

export function toRow (row: object | undefined): DeliveryRow | undefined {
  return row === undefined ? undefined : toText<DeliveryRow>(row)
}

export function toRows (rows: readonly object[]): readonly DeliveryRow[] {
  return rows.map((row) => toText<DeliveryRow>(row))
}

/**
 * A record as one line of JSON, which the checksum covers. Null values at the end are left out, so records of an earlier schema
 * version keep their checksum.
 */
export function recordText (values: RecordValues, more: RecordValues = []): string {
  const last = values.findLastIndex((value) => value !== null)
  return JSON.stringify(more.length === 0 && last === values.length - 1 ? values : [...values.slice(0, last + 1), ...more])
}

/** The checksum of a record: over its columns and its body. */
export function checksum (row: CheckedColumns, rawBody: Uint8Array): number {
  const { event_start: start, event_end: end } = row
  // Earlier versions stored where the event's text is in the body. A record with only one of the two is damaged.
  return textChecksum(recordText(NAMES.map((name) => row[name]), start === null && end === null ? [] : [start, end]), rawBody)
}

/** The same checksum, from the record's text. */
export function textChecksum (text: string | Uint8Array, rawBody: Uint8Array): number {
  const ofText = crc32(text)
  // The body of an erased record is empty. If no memory is behind it, zlib may return 0 instead of the checksum so far.
  return rawBody.byteLength === 0 ? ofText : crc32(rawBody, ofText)
}

/** The checksum of a forwarder's cursor. */
export function cursorChecksum (forwarder: string, cursor: number): number {
  return crc32(`${forwarder}\n${cursor}`)
}

/** Returns `undefined` if the record is damaged: its checksum differs from the stored one, or its JSON cannot be parsed. */
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
    quarantined: row.hold === STATE.quarantined,
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

/** A delivery as lists show it, with its status at each forwarder. Does not verify the checksum. */
export function toListed (row: DeliveryRow, forwarders: readonly ForwarderStatus[]): ListedDelivery {
  return {
    sequence: row.sequence,
    id: row.id,
    receivedAt: row.received_at,
    eventType: row.event_type,
    verdict: row.verdict,
    state: stateOf(row.hold),
    sourceObject: row.source_object,
    sourceId: row.source_id,
    eventId: row.event_id,
    projectId: row.project_id,
    customerId: row.customer_id,
    campaignId: row.campaign_id,
    duplicates: row.duplicates,
    bodyBytes: row.body_bytes,
    faults: row.faults === null ? [] : parseJson<Fault[]>(row.faults) ?? [],
    forwarders
  }
}

/** Parses JSON that tierhook wrote into a column. Returns `undefined` if it is invalid. */
export function parseJson<T> (text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    // Only damage makes the column invalid.
    return undefined
  }
}
