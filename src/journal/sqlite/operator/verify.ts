import type { Verified } from '../../../delivery/operator-requests.js'
import type { Connection } from '../database.js'
import { isDamage } from '../database.js'
import { DELIVERY_COLUMNS, toDelivery, toRow, toRows, type DeliveryRow } from '../../record.js'
import { bodyReader } from './deliveries.js'
import { lastSequence } from './forwarders.js'

/** The most complaints that SQLite's check reports. */
const COMPLAINTS_LIMIT = 100

export function verify (db: Connection, { after, limit }: { readonly after: number, readonly limit: number }): Verified {
  const last = lastSequence(db)
  const { rows, unreadable, upTo } = readPage(db, after, limit, last)
  const damaged: Array<Verified['damaged'][number]> = unreadable.map((sequence) => ({ sequence, id: null }))
  const readBody = bodyReader(db)
  for (const row of rows) {
    if (toDelivery(row, readBody(row.sequence)) === undefined) damaged.push({ sequence: row.sequence, id: row.id })
  }
  return { checked: rows.length + unreadable.length, upTo, damaged, done: upTo >= last }
}

interface Page {
  readonly rows: readonly DeliveryRow[]
  readonly unreadable: readonly number[]
  readonly upTo: number
}

function readPage (db: Connection, after: number, limit: number, last: number): Page {
  try {
    const rows = toRows(db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence > ? ORDER BY sequence LIMIT ?`).all([after, limit]))
    return { rows, unreadable: [], upTo: rows.length < limit ? Math.max(last, after) : rows.at(-1)?.sequence ?? last }
  } catch (error) {
    if (!isDamage(error)) throw error
    return readOneByOne(db, after, Math.min(after + limit, last))
  }
}

/** Reads records one by one, because an unreadable page of the file hides only its own records. */
function readOneByOne (db: Connection, after: number, upTo: number): Page {
  const rows: DeliveryRow[] = []
  const unreadable: number[] = []
  const select = db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence = ?`)
  for (let sequence = after + 1; sequence <= upTo; sequence++) {
    try {
      const row = toRow(select.get([sequence]))
      if (row !== undefined) rows.push(row)
    } catch (error) {
      if (!isDamage(error)) throw error
      unreadable.push(sequence)
    }
  }
  return { rows, unreadable, upTo }
}

export function checkFiles (db: Connection): readonly string[] {
  try {
    const rows = db.prepare(`PRAGMA quick_check(${COMPLAINTS_LIMIT})`).all()
    return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok')
  } catch (error) {
    if (isDamage(error)) return [error instanceof Error ? error.message : String(error)]
    throw error
  }
}
