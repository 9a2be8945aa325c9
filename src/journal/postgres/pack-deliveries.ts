import type { Delivery, NewDelivery } from '../../delivery/delivery.js'
import type { ReadDeliveries } from '../engine.js'
import { STATE, namedValues, recordText, recordValues, textChecksum } from '../record.js'
import type { StoredRow } from './reads.js'
import { soundJson } from './sound-json.js'

/** Deliveries as the function that appends takes them. */
export interface Packed {
  readonly count: number
  /** The most that have one key: copies of what is in the same call are found in the next round. */
  readonly rounds: number
  readonly records: string
  /** The bodies, one after another. */
  readonly bodies: Uint8Array
}

/** What was stored by one call: all that there is after one sequence and up to another. May cross to another thread. */
export interface StoredBatch extends Packed {
  readonly after: number
  /** What of it is not there, from 1. */
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

/** In memory of their own: all of it crosses to another thread. */
function joined (deliveries: readonly NewDelivery[], length: number): Uint8Array {
  const bodies = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const { rawBody } of deliveries) {
    bodies.set(rawBody, at)
    at += rawBody.byteLength
  }
  return bodies
}

/** What was stored as it would be read, without reading it. */
export function unpackDeliveries ({ after, count, records, bodies, without }: StoredBatch, sound: (rows: readonly StoredRow[]) => readonly Delivery[]): ReadDeliveries {
  const gone = new Set(without)
  // Our own JSON, made a moment ago.
  const rows = (JSON.parse(records) as readonly PackedRecord[]).map((record, index): StoredRow => ({
    ...record,
    sequence: after + index + 1,
    duplicates: 0,
    event_start: null,
    event_end: null,
    // One that stays for long is not to keep the others in memory.
    raw_body: Buffer.from(bodies.subarray(record.start, record.start + record.body_bytes))
  }))
  return { deliveries: sound(rows.filter(({ hold }, index) => hold === STATE.accepted && !gone.has(index + 1))), upTo: after + count }
}
