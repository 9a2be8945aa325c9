import { crc32 } from 'node:zlib'
import type { Delivery, NewDelivery } from '../delivery/delivery.js'
import type { DeliveryState, ForwarderStatus, ListedDelivery } from '../delivery/listing.js'
import type { Replayed } from '../delivery/operator-requests.js'
import type { Fault } from '../errors/problem.js'

/** A delivery's state, as the column `deliveries.hold` has it. The column keeps its first name: replicas of an older release ask for it by that while a fleet is updated. */
export const STATE = { accepted: 0, quarantined: 1, released: 2, damaged: 3, erased: 4 } as const satisfies Record<DeliveryState, number>

/** In the order of their numbers. */
const STATES = Object.keys(STATE) as readonly DeliveryState[]

/** What is none of these is damage. */
function stateOf (number: number): DeliveryState {
  return STATES[number] ?? 'damaged'
}

/** Why a delivery of a state can't be replayed. */
export function replayRefusal (number: number | undefined): Replayed['refused'][number]['why'] | undefined {
  if (number === undefined) return 'gone'
  const state = stateOf(number)
  return state === 'accepted' || state === 'released' ? undefined : state
}

/**
 * The columns that make a record, with what each is of a delivery that comes in: they are stored under these names and are what the checksum
 * is taken of, in this order. One that is added goes to the end, may be null, and stands in a migration of the schema.
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

/** What an erased record says in the place of what it said. */
export const TOMBSTONE = {
  hold: STATE.erased, event_id: null, customer_id: null, campaign_id: null, faults: null, headers: '{}', body_bytes: 0, event_start: null, event_end: null
} as const

/** What of a record never changes, or only together with its checksum. */
export type CheckedColumns = { readonly [K in ColumnName]: ReturnType<(typeof COLUMNS)[K]> } & {
  /** Both or none. Nothing is stored with them any more. */
  readonly event_start: number | null
  readonly event_end: number | null
}

export interface DeliveryRow extends CheckedColumns {
  readonly sequence: number
  readonly duplicates: number
  readonly checksum: number
}

/** What makes a `DeliveryRow` of the table `deliveries d`. */
export const DELIVERY_COLUMNS = ['sequence', ...NAMES, 'duplicates', 'event_start', 'event_end', 'checksum'].map((name) => `d.${name}`).join(', ')

/** The values of a record by the names of their columns. */
export function namedValues (values: RecordValues): Readonly<Record<string, string | number | null>> {
  return Object.fromEntries(NAMES.map((name, index) => [name, values[index] ?? null]))
}

/** Takes the values of a new record, and its checksum. */
export const INSERT_DELIVERY = `INSERT INTO deliveries (${NAMES.join(', ')}, checksum) VALUES (${[...NAMES, 'checksum'].map(() => '?').join(', ')})`

/** The values of a new record, in the order of the table. */
export type RecordValues = ReadonlyArray<string | number | null>

export function recordValues (delivery: NewDelivery): RecordValues {
  return VALUES.map((valueOf) => valueOf(delivery))
}

/** The values of a record from its text. */
export function parseRecordText (text: string): RecordValues {
  // Our own JSON, made a moment ago.
  const values = JSON.parse(text) as Array<string | number | null>
  while (values.length < NAMES.length) values.push(null)
  return values
}

/** What a record that is not stored yet says in one of its columns. */
export function valueIn (values: RecordValues, name: ColumnName): string | number | null {
  return values[NAMES.indexOf(name)] ?? null
}

/** A row with text in the place of bytes, which one flipped bit makes of text: then it differs from what was written, and so from its checksum. */
export function toText<T extends object> (row: object): T {
  // Nearly every row is sound, and to make it anew takes longer than to read it.
  if (!Object.values(row).some((value) => value instanceof Uint8Array)) return row as T
  return Object.fromEntries(Object.entries(row).map(([name, value]: [string, unknown]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString() : value])) as T
}

export function toRow (row: object | undefined): DeliveryRow | undefined {
  return row === undefined ? undefined : toText<DeliveryRow>(row)
}

export function toRows (rows: readonly object[]): readonly DeliveryRow[] {
  return rows.map((row) => toText<DeliveryRow>(row))
}

/** A record as one line of JSON: what its checksum is taken of. What a record of an earlier schema version does not have is no part of it. */
export function recordText (values: RecordValues, more: RecordValues = []): string {
  const last = values.findLastIndex((value) => value !== null)
  return JSON.stringify(more.length === 0 && last === values.length - 1 ? values : [...values.slice(0, last + 1), ...more])
}

/** A record's checksum: of the bytes, and of all that says what they are and what is to become of them. */
export function checksum (row: CheckedColumns, rawBody: Uint8Array): number {
  const { event_start: start, event_end: end } = row
  // Where the event's text stands in the body was written down for a time. Only damage leaves one of the two.
  return textChecksum(recordText(NAMES.map((name) => row[name]), start === null && end === null ? [] : [start, end]), rawBody)
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

/** A delivery as lists have it, checked or not, with its status at each forwarder. */
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

/** Our own JSON from our own column; only a damaged file makes it anything else. */
export function parseJson<T> (text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    // Damaged: the caller sets the record aside.
    return undefined
  }
}
