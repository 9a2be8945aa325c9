import type { Connection, SqlValue } from './database.js'
import type { SoundRecord } from './packed-deliveries.js'
import { CHECKED_TEXT, HOLD, textChecksum } from './record.js'

/** A place in the journal's order, with what tells how much is to be read. */
export interface Place {
  readonly sequence: number
  readonly hold: number
  readonly bodyBytes: number
}

const LINE_FEED = 10

/**
 * Reads records that follow each other as one row: to read them one by one takes four times as long, nearly all of it in the
 * calls and not in SQLite. Text is put together as bytes, whatever is in it. Returns those that were never held back;
 * `undefined` where not every record is sound: then it must be looked at each of them.
 */
export function readPage (db: Connection, places: readonly Place[]): readonly SoundRecord[] | undefined {
  const first = places[0]?.sequence
  const last = places.at(-1)?.sequence
  if (first === undefined || last === undefined) return []
  try {
    return soundRecords(places, readColumns(db, first, last))
  } catch {
    // Damage, or what may be damage: a blob where text should be is an error of the function that makes JSON of it.
    return undefined
  }
}

interface Columns {
  readonly sequences: readonly unknown[]
  readonly texts: Buffer
  readonly checksums: readonly unknown[]
  readonly duplicates: readonly unknown[]
  readonly bodies: Buffer
}

/** SQLite goes through a table in the order of its key, and to be told so costs it a third more. The sequences tell whether it did. */
function readColumns (db: Connection, first: number, last: number): Columns {
  const [texts, sequences, checksums, duplicates] = readRow(db, `SELECT CAST(group_concat(${CHECKED_TEXT}, char(${LINE_FEED})) AS BLOB),
    CAST(json_group_array(d.sequence) AS BLOB), CAST(json_group_array(d.checksum) AS BLOB), CAST(json_group_array(d.duplicates) AS BLOB)
    FROM deliveries d WHERE d.sequence BETWEEN ? AND ?`, [first, last])
  const [bodies] = readRow(db, "SELECT CAST(group_concat(raw_body, '') AS BLOB) FROM bodies WHERE sequence BETWEEN ? AND ?", [first, last])
  return { texts: toBuffer(texts), sequences: toList(sequences), checksums: toList(checksums), duplicates: toList(duplicates), bodies: toBuffer(bodies) }
}

/** The values of the one row that a query gives. Lists that SQLite gathers in it take a third of the time of as many rows. */
export function readRow (db: Connection, sql: string, parameters: readonly SqlValue[]): readonly unknown[] {
  return Object.values(db.prepare(sql).get(parameters) ?? {})
}

function toBuffer (value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError('there are no bytes')
}

/** A list that SQLite has gathered as JSON. */
export function toList (value: unknown): readonly unknown[] {
  const list: unknown = JSON.parse(toBuffer(value).toString())
  return Array.isArray(list) ? list : []
}

function soundRecords (places: readonly Place[], { texts, sequences, checksums, duplicates, bodies }: Columns): readonly SoundRecord[] | undefined {
  const records: SoundRecord[] = []
  let textAt = 0
  let bodyAt = 0
  for (const [index, { sequence, hold, bodyBytes }] of places.entries()) {
    const found = texts.indexOf(LINE_FEED, textAt)
    const text = texts.subarray(textAt, found === -1 ? texts.byteLength : found)
    const rawBody = bodies.subarray(bodyAt, bodyAt + bodyBytes)
    textAt += text.byteLength + 1
    bodyAt += bodyBytes
    if (hold === HOLD.damaged) continue
    if (sequences[index] !== sequence || textChecksum(text, rawBody) !== checksums[index]) return undefined
    if (hold === HOLD.never) records.push({ sequence, duplicates: Number(duplicates[index]), checkedText: text.toString(), rawBody })
  }
  return bodyAt === bodies.byteLength ? records : undefined
}
