import type { Delivery } from '../../delivery/delivery.js'
import type { WaitingMark } from '../feed-store.js'
import { isDamage, openForReading, prepareAnew, unlessDamaged, type Connection } from './database.js'
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
      db?.close()
      db = openForReading(path)
    },

    readAfter ({ after, visible, limit, limitBytes }) {
      const found = readRows(opened(), { after, visible, limit })
      const rows = takeBytes(found.rows, limitBytes)
      const upTo = rows.length < found.rows.length ? rows.at(-1)?.sequence ?? after : found.upTo
      return { ...withBodies(opened(), rows, found.damaged), upTo: Math.max(upTo, after) }
    },

    readMany ({ sequences }) {
      const db = opened()
      const select = prepareAnew(db, `SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.sequence = ? AND d.hold <> ${HOLD.damaged}`)
      const damaged: number[] = []
      const rows = sequences.flatMap((sequence) => {
        const row = unlessDamaged(() => select.get([sequence]) as DeliveryRow | undefined, 'damaged')
        if (row === 'damaged') damaged.push(sequence)
        return row === undefined || row === 'damaged' ? [] : [row]
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
  const select = prepareAnew(db, 'SELECT raw_body AS rawBody FROM bodies WHERE sequence = ?')
  const deliveries: Delivery[] = []
  const damaged = [...damagedRows]
  for (const row of rows) {
    const delivery = toDelivery(row, readBody(select, row.sequence))
    if (delivery === undefined) damaged.push(row.sequence)
    else deliveries.push(delivery)
  }
  return { deliveries, damaged }
}

function readBody (select: ReturnType<typeof prepareAnew>, sequence: number): Uint8Array | undefined {
  return unlessDamaged(() => (select.get([sequence]) as { rawBody: Uint8Array } | undefined)?.rawBody, undefined)
}

interface Rows {
  readonly rows: readonly DeliveryRow[]
  readonly damaged: readonly number[]
  /** These are all up to here. */
  readonly upTo: number
}

/** A page that can't be read takes only its own rows with it: the others are read one at a time. */
function readRows (db: Connection, { after, visible, limit }: Omit<ReadAfter, 'limitBytes'>): Rows {
  const sql = `SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.sequence > ? AND d.sequence <= ? AND d.hold = ${HOLD.never} ORDER BY d.sequence LIMIT ?`
  try {
    const rows = db.prepare(sql).all([after, visible, limit]) as DeliveryRow[]
    return { rows, damaged: [], upTo: rows.length < limit ? visible : rows.at(-1)?.sequence ?? visible }
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  const rows: DeliveryRow[] = []
  const damaged: number[] = []
  const upTo = Math.min(visible, after + limit)
  const select = prepareAnew(db, sql)
  for (let sequence = after + 1; sequence <= upTo; sequence++) {
    const row = unlessDamaged(() => select.get([sequence - 1, sequence, 1]) as DeliveryRow | undefined, 'damaged')
    if (row === 'damaged') damaged.push(sequence)
    else if (row !== undefined) rows.push(row)
  }
  return { rows, damaged, upTo }
}
