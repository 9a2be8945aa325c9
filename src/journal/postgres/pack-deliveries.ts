import type { Delivery, NewDelivery } from '../../delivery/delivery.js'
import type { ReadDeliveries } from '../engine.js'
import { STATE, namedValues, recordText, recordValues, textChecksum } from '../record.js'
import type { StoredRow } from './reads.js'
import { soundJson } from './sound-json.js'

/** Deliveries in the format of the function that appends. */
export interface Packed {
  readonly count: number
  /** The most deliveries with the same key. A copy of a delivery in the same call is found in a later round. */
  readonly rounds: number
  readonly records: string
  /** All bodies, one after another. */
  readonly bodies: Uint8Array
}

/** What one call stored: everything after the sequence `after`, up to `after` + `count`. Can be cloned to another thread. */
export interface StoredBatch extends Packed {
  readonly after: number
  /** The deliveries of the call that were not stored, by their numbers from 1. */
  readonly without: readonly number[]
}

interface PackedRecord extends Omit<StoredRow, 'sequence' | 'raw_body'> {
  readonly start: number
}

export function packDeliveries (deliveries: readonly NewDelivery[]): Packed {
  const seen = new Map<string, number>()
  let start = 0
  const records = deliveries.map((delivery) => {
    const { dedupeKey: key, rawBody, dedupeWithinMs } = delivery
    const values = recordValues(delivery)
    const round = (key === null ? 0 : seen.get(key) ?? 0) + 1
    if (key !== null) seen.set(key, round)
    const record = { ...namedValues(values), checksum: textChecksum(recordText(values), rawBody), key, within: dedupeWithinMs, start, round }
    start += rawBody.byteLength
    return record
  })
  return { count: records.length, rounds: Math.max(1, ...seen.values()), records: soundJson(records), bodies: joined(deliveries, start) }
}

/** Joins the bodies in a buffer with its own memory: to pass a part of a shared buffer to another thread would copy all of it. */
function joined (deliveries: readonly NewDelivery[], length: number): Uint8Array {
  const bodies = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const { rawBody } of deliveries) {
    bodies.set(rawBody, at)
    at += rawBody.byteLength
  }
  return bodies
}

/** Returns what reading these deliveries would return, without reading them. */
export function unpackDeliveries ({ after, count, records, bodies, without }: StoredBatch, sound: (rows: readonly StoredRow[]) => readonly Delivery[]): ReadDeliveries {
  const gone = new Set(without)
  // This JSON was made by tierhook a moment ago, so it is not checked.
  const rows = (JSON.parse(records) as readonly PackedRecord[]).map((record, index): StoredRow => ({
    ...record,
    sequence: after + index + 1,
    duplicates: 0,
    event_start: null,
    event_end: null,
    // Copy the body, so that a delivery that stays long does not keep the others in memory.
    raw_body: Buffer.from(bodies.subarray(record.start, record.start + record.body_bytes))
  }))
  return { deliveries: sound(rows.filter(({ hold }, index) => hold === STATE.accepted && !gone.has(index + 1))), upTo: after + count }
}
