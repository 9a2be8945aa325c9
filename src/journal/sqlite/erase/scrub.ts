import type { Scrubbed } from '../../../delivery/operator-requests.js'
import { pragma, writeAnew, type Connection } from '../database.js'

/** Pages given back to the file system in one step: 4 MiB. */
const PAGES = 1024
/** How long those who commit wait for this at most, in milliseconds. */
const HOLD_UP_MS = 100

/** One small step: gives pages that are in no use back to the file system, and at last empties the write-ahead log. Both hold what was deleted. `whole` writes the file anew first: a page may have left-overs of rows that moved to another one. */
export function scrub (db: Connection, { whole }: { readonly whole: boolean }): Scrubbed {
  db.exec('PRAGMA secure_delete = ON')
  if (whole) writeAnew(db)
  if (Number(pragma(db, 'freelist_count')) > 0) {
    db.exec(`PRAGMA incremental_vacuum(${PAGES})`)
    return { done: false }
  }
  const timeoutMs = Number(pragma(db, 'busy_timeout'))
  try {
    // Copies most of it beside the others, so that what they have to wait for is short.
    db.exec(`PRAGMA wal_checkpoint(PASSIVE); PRAGMA busy_timeout = ${HOLD_UP_MS}`)
    return { done: Number(pragma(db, 'wal_checkpoint(TRUNCATE)')) === 0 }
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeoutMs}`)
  }
}
