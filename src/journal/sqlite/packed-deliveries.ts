import type { Delivery, EventPlace, LocateEvent, Verdict } from '../../delivery/delivery.js'
import type { Fault } from '../../errors.js'
import { HOLD } from './record.js'

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
  /**
   * Where the event's text begins and ends in each body; -1 where that is not known. It is looked for here, because the thread that
   * gets the bodies has none of them in its caches.
   */
  readonly eventPlaces: Int32Array
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
const NOWHERE: EventPlace = { start: -1, end: -1 }

export function packDeliveries (records: readonly SoundRecord[], locateEvent: LocateEvent): PackedDeliveries {
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
    eventPlaces: placesOf(records, locateEvent),
    buffers
  }
}

function placesOf (records: readonly SoundRecord[], locateEvent: LocateEvent): Int32Array {
  return Int32Array.from(records.flatMap(({ rawBody }) => {
    const { start, end } = locateEvent(rawBody) ?? NOWHERE
    return [start, end]
  }))
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

/** What the checked text of a record holds, in its order. */
type CheckedValues = readonly [
  id: string, receivedAt: number, eventType: string, verdict: Verdict, hold: number, sourceObject: string | null, sourceId: string | null,
  eventId: string | null, projectId: string | null, customerId: string | null, campaignId: string | null, faults: string | null, headers: string, bodyBytes: number
]

export function unpackDeliveries ({ checked, sequences, duplicates, bodyBytes, eventPlaces, buffers }: PackedDeliveries): readonly Delivery[] {
  // Our own JSON, with a checksum that held a moment ago in the other thread.
  const records = JSON.parse(checked) as readonly CheckedValues[]
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
    const start = eventPlaces[2 * index] ?? -1
    const eventPlace = start === -1 ? undefined : { start, end: eventPlaces[2 * index + 1] ?? -1 }
    return toDelivery(values, sequences[index] ?? 0, duplicates[index] ?? 0, rawBody, eventPlace)
  })
}

function toDelivery (
  [id, receivedAt, eventType, verdict, hold, sourceObject, sourceId, eventId, projectId, customerId, campaignId, faults, headers]: CheckedValues,
  sequence: number, duplicates: number, rawBody: Uint8Array, eventPlace: EventPlace | undefined
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
    eventPlace: verdict === 'valid' ? eventPlace : undefined,
    duplicates
  }
}
