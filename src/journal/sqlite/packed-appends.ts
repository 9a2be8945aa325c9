import type { EventPlace, LocateEvent, NewDelivery } from '../../delivery/delivery.js'
import { fromRecordText, recordText, toColumns, withEventPlace, type PlacelessValues } from './record.js'

/**
 * Deliveries on their way to the writer's thread. A message clones every object key by key and copies the whole buffer behind
 * every slice, which takes longer than all else that is done to store a delivery: so they go as one text and one buffer.
 */
export interface PackedAppends {
  /** Two lines of JSON for each: its record, and its deduplication key with how long it counts. */
  readonly lines: string
  /** The bodies side by side. To be moved and not copied. */
  readonly bodies: ArrayBuffer
}

export interface AppendRecord {
  /** The text that the checksum is taken of. */
  readonly text: string
  readonly values: PlacelessValues
  readonly dedupeKey: string | null
  readonly dedupeWithinMs: number | null
  readonly rawBody: Uint8Array
  readonly eventPlace: EventPlace | undefined
}

export function packAppends (deliveries: readonly NewDelivery[]): PackedAppends {
  const bodies = new Uint8Array(deliveries.reduce((bytes, { rawBody }) => bytes + rawBody.byteLength, 0))
  const lines: string[] = []
  let at = 0
  for (const delivery of deliveries) {
    lines.push(recordText(toColumns(delivery)), JSON.stringify([delivery.dedupeKey, delivery.dedupeWithinMs ?? null]))
    bodies.set(delivery.rawBody, at)
    at += delivery.rawBody.byteLength
  }
  return { lines: lines.join('\n'), bodies: bodies.buffer }
}

/** Finds where the events stand, too: the bodies are about to be read for their checksums, and this is once for all forwarders. */
export function unpackAppends ({ lines, bodies }: PackedAppends, locateEvent: LocateEvent): readonly AppendRecord[] {
  const records: AppendRecord[] = []
  const parts = lines.split('\n')
  let at = 0
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const text = parts[index] ?? ''
    const values = fromRecordText(text)
    const [, , , verdict, , , , , , , , , , bodyBytes] = values
    const rawBody = new Uint8Array(bodies, at, bodyBytes)
    const [dedupeKey, dedupeWithinMs] = JSON.parse(parts[index + 1] ?? '') as [string | null, number | null]
    const eventPlace = verdict === 'valid' ? locateEvent(rawBody) : undefined
    records.push({
      text: eventPlace === undefined ? text : withEventPlace(text, eventPlace),
      values,
      dedupeKey,
      dedupeWithinMs,
      rawBody,
      eventPlace
    })
    at += bodyBytes
  }
  return records
}
