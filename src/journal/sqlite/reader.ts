import type { Delivery } from '../../delivery/delivery.js'
import type { WaitingMark } from '../feed.js'
import { openForReading, sqliteCode, type Connection } from './database.js'
import { DELIVERY_COLUMNS, HOLD, toDelivery, type DeliveryRow } from './record.js'
import { readReplaysAfter } from './waiting.js'

export interface ReadAfter {
  readonly after: number
  /** Nothing beyond this sequence is to be seen yet. */
  readonly visible: number
  readonly limit: number
  readonly limitBytes: number
}

export interface ReadResult {
  readonly deliveries: readonly Delivery[]
  /** There is nothing else up to here. */
  readonly upTo: number
  /** Sequences of records that are damaged. */
  readonly damaged: readonly number[]
}

export interface ReaderApi {
  open: (options: { readonly path: string }) => void
  readAfter: (options: ReadAfter) => ReadResult
  readMany: (options: { readonly sequences: readonly number[] }) => ReadResult
  readReplaysAfter: (options: { readonly forwarder: string, readonly after: { readonly replay: number, readonly sequence: number }, readonly limit: number }) => readonly WaitingMark[]
  lastReplay: () => number
  close: () => void
}

/** The reading side of the journal, synchronous: it lives in a thread of its own, so that a long read holds up nothing else. */
export function createReader (now: () => number): ReaderApi {
  let db: Connection | undefined

  function opened (): Connection {
    if (db === undefined) throw new Error('The journal is not open')
    return db
  }

  return {
    open ({ path }) {
      db = openForReading(path)
    },

    readAfter ({ after, visible, limit, limitBytes }) {
      const db = opened()
      const columns = `SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.sequence > ? AND d.sequence <= ? AND d.hold = ${HOLD.never} ORDER BY d.sequence LIMIT ?`
      const found = readDamaged(() => db.prepare(columns).all([after, visible, limit]) as DeliveryRow[], () => rowByRow(db, columns, after, visible, limit))
      const rows = takeBytes(found.rows, limitBytes)
      const upTo = rows.length < found.rows.length || found.rows.length === limit ? rows.at(-1)?.sequence ?? visible : visible
      return { ...withBodies(db, rows, found.damaged), upTo: Math.max(upTo, after) }
    },

    readMany ({ sequences }) {
      const db = opened()
      const select = db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.sequence = ? AND d.hold <> ${HOLD.damaged}`)
      const damaged: number[] = []
      const rows = sequences.flatMap((sequence) => {
        try {
          const row = select.get([sequence]) as DeliveryRow | undefined
          return row === undefined ? [] : [row]
        } catch (error) {
          if (!isDamage(error)) throw error
          damaged.push(sequence)
          return []
        }
      })
      return { ...withBodies(db, rows, damaged), upTo: 0 }
    },

    readReplaysAfter: ({ forwarder, after, limit }) => readReplaysAfter(opened(), forwarder, after, limit, now()),

    lastReplay: () => (opened().prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'replays'), 0) AS n").get([]) as { n: number }).n,

    close () {
      db?.close()
      db = undefined
    }
  }
}

/** As many rows as their bodies leave room for, but one at least. */
function takeBytes (rows: readonly DeliveryRow[], limitBytes: number): readonly DeliveryRow[] {
  let bytes = 0
  const end = rows.findIndex((row, index) => {
    bytes += row.body_bytes
    return index > 0 && bytes > limitBytes
  })
  return end === -1 ? rows : rows.slice(0, end)
}

function withBodies (db: Connection, rows: readonly DeliveryRow[], damagedRows: readonly number[]): { deliveries: Delivery[], damaged: number[] } {
  const select = db.prepare('SELECT raw_body AS rawBody FROM bodies WHERE sequence = ?')
  const deliveries: Delivery[] = []
  const damaged = [...damagedRows]
  for (const row of rows) {
    const delivery = toDelivery(row, readBody(select, row.sequence))
    if (delivery === undefined) damaged.push(row.sequence)
    else deliveries.push(delivery)
  }
  return { deliveries, damaged }
}

function readBody (select: { get: (parameters: unknown[]) => unknown }, sequence: number): Uint8Array | undefined {
  try {
    return (select.get([sequence]) as { rawBody: Uint8Array } | undefined)?.rawBody
  } catch (error) {
    if (isDamage(error)) return undefined
    throw error
  }
}

/** A page that can't be read takes only its own rows with it: the others are read one at a time. */
function readDamaged (
  together: () => DeliveryRow[], oneByOne: () => { rows: DeliveryRow[], damaged: number[] }
): { rows: readonly DeliveryRow[], damaged: readonly number[] } {
  try {
    return { rows: together(), damaged: [] }
  } catch (error) {
    if (!isDamage(error)) throw error
    return oneByOne()
  }
}

function rowByRow (db: Connection, columns: string, after: number, visible: number, limit: number): { rows: DeliveryRow[], damaged: number[] } {
  const select = db.prepare(columns)
  const rows: DeliveryRow[] = []
  const damaged: number[] = []
  for (let sequence = after + 1; sequence <= visible && rows.length + damaged.length < limit; sequence++) {
    try {
      const row = select.get([sequence - 1, sequence, 1]) as DeliveryRow | undefined
      if (row !== undefined) rows.push(row)
    } catch (error) {
      if (!isDamage(error)) throw error
      damaged.push(sequence)
    }
  }
  return { rows, damaged }
}

function isDamage (error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
}
