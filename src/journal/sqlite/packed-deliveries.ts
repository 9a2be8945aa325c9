import type { Delivery } from '../../delivery/delivery.js'
import type { Fault } from '../../errors.js'
import { HOLD, type RecordValues } from './record.js'

/**
 * Deliveries as they cross from thread to thread: a few large values, because many small ones take several times as long
 * to be written, read, and freed.
 */
export interface PackedDeliveries {
  /** A JSON array of the checked text of each. */
  readonly checked: string
  readonly sequences: readonly number[]
  readonly duplicates: readonly number[]
  readonly bodyBytes: readonly number[]
  /** The bodies, one after another. A body keeps its whole buffer in memory, so there are only so many in one. */
  readonly buffers: readonly ArrayBuffer[]
}

/** A record that was found to be as it was written. */
export interface SoundRecord {
  readonly sequence: number
  readonly duplicates: number
  readonly checkedText: string
  readonly rawBody: Uint8Array
}

/** A buffer with several bodies is no larger than this, in bytes. */
const BUFFER_BYTES = 65_536

export function packDeliveries (records: readonly SoundRecord[]): PackedDeliveries {
  const buffers: ArrayBuffer[] = []
  for (let start = 0; start < records.length;) {
    const end = endOfBuffer(records, start)
    buffers.push(joinBodies(records.slice(start, end)))
    start = end
  }
  return {
    checked: `[${records.map(({ checkedText }) => checkedText).join(',')}]`,
    sequences: records.map(({ sequence }) => sequence),
    duplicates: records.map(({ duplicates }) => duplicates),
    bodyBytes: records.map(({ rawBody }) => rawBody.byteLength),
    buffers
  }
}

function endOfBuffer (records: readonly SoundRecord[], start: number): number {
  let bytes = 0
  for (let at = start; at < records.length; at++) {
    bytes += records[at]?.rawBody.byteLength ?? 0
    if (at > start && bytes > BUFFER_BYTES) return at
  }
  return records.length
}

function joinBodies (records: readonly SoundRecord[]): ArrayBuffer {
  const buffer = new ArrayBuffer(records.reduce((bytes, { rawBody }) => bytes + rawBody.byteLength, 0))
  const bytes = new Uint8Array(buffer)
  let at = 0
  for (const { rawBody } of records) {
    bytes.set(rawBody, at)
    at += rawBody.byteLength
  }
  return buffer
}

export function unpackDeliveries ({ checked, sequences, duplicates, bodyBytes, buffers }: PackedDeliveries): readonly Delivery[] {
  // Our own JSON, with a checksum that held a moment ago in the other thread.
  const records = JSON.parse(checked) as readonly RecordValues[]
  let buffer = 0
  let at = 0
  return records.map((values, index) => {
    const length = bodyBytes[index] ?? 0
    if (at + length > (buffers[buffer]?.byteLength ?? 0)) {
      buffer++
      at = 0
    }
    const rawBody = new Uint8Array(buffers[buffer] ?? new ArrayBuffer(length), at, length)
    at += length
    return toDelivery(values, sequences[index] ?? 0, duplicates[index] ?? 0, rawBody)
  })
}

function toDelivery (
  [id, receivedAt, eventType, verdict, hold, sourceObject, sourceId, eventId, projectId, customerId, campaignId, faults, headers, , eventStart, eventEnd]: RecordValues,
  sequence: number, duplicates: number, rawBody: Uint8Array
): Delivery {
  return {
    sequence,
    id,
    receivedAt,
    eventType,
    verdict,
    faults: faults === null ? [] : JSON.parse(faults) as readonly Fault[],
    held: hold === HOLD.quarantined,
    dedupeKey: null,
    sourceObject,
    sourceId,
    eventId,
    projectId,
    customerId,
    campaignId,
    headers: JSON.parse(headers) as Readonly<Record<string, string>>,
    rawBody,
    eventPlace: eventStart === undefined || eventEnd === undefined ? undefined : { start: eventStart, end: eventEnd },
    duplicates
  }
}
