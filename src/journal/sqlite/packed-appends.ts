import type { NewDelivery, Verdict } from '../../delivery/delivery.js'
import { parseRecordText, recordText, recordValues, valueIn, type RecordValues } from '../record.js'

/**
 * Deliveries on their way to the store thread. A message would clone every object key by key, and copy the whole buffer behind every
 * slice. That takes longer than all other work of storing a delivery, so they go as one text and one buffer.
 */
export interface PackedAppends {
  /** Two lines of JSON per delivery: its record, and its deduplication key with the time for which the key counts. */
  readonly lines: string
  /** The bodies one after another. To be transferred, not copied. */
  readonly bodies: ArrayBuffer
}

export interface AppendRecord {
  /** The text that the checksum covers. */
  readonly text: string
  readonly values: RecordValues
  readonly id: string
  readonly receivedAt: number
  readonly verdict: Verdict
  readonly dedupeKey: string | null
  readonly dedupeWithinMs: number | null
  readonly rawBody: Uint8Array
}

export function packAppends (deliveries: readonly NewDelivery[]): PackedAppends {
  const bodies = new Uint8Array(deliveries.reduce((bytes, { rawBody }) => bytes + rawBody.byteLength, 0))
  const lines: string[] = []
  let at = 0
  for (const delivery of deliveries) {
    lines.push(recordText(recordValues(delivery)), JSON.stringify([delivery.dedupeKey, delivery.dedupeWithinMs ?? null]))
    bodies.set(delivery.rawBody, at)
    at += delivery.rawBody.byteLength
  }
  return { lines: lines.join('\n'), bodies: bodies.buffer }
}

export function unpackAppends ({ lines, bodies }: PackedAppends): readonly AppendRecord[] {
  const records: AppendRecord[] = []
  const parts = lines.split('\n')
  let at = 0
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const text = parts[index] ?? ''
    const values = parseRecordText(text)
    const [dedupeKey, dedupeWithinMs] = JSON.parse(parts[index + 1] ?? '') as [string | null, number | null]
    const bodyBytes = Number(valueIn(values, 'body_bytes'))
    records.push({
      text,
      values,
      id: String(valueIn(values, 'id')),
      receivedAt: Number(valueIn(values, 'received_at')),
      verdict: valueIn(values, 'verdict') as Verdict,
      dedupeKey,
      dedupeWithinMs,
      rawBody: new Uint8Array(bodies, at, bodyBytes)
    })
    at += bodyBytes
  }
  return records
}
