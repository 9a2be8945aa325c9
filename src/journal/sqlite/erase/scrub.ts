import type { Scrubbed } from '../../../delivery/operator-requests.js'
import { pragma, vacuum, type Connection } from '../database.js'

/** Pages returned to the file system in one step: 4 MiB. */
const PAGES = 1024
/** How long commits wait for this at most, in milliseconds. */
const HOLD_UP_MS = 100

/**
 * Does one small step: returns unused pages to the file system, and finally empties the write-ahead log. Both hold deleted data. `whole`
 * rewrites the file first, because a page may keep remains of rows that moved to another page.
 */
export function scrub (db: Connection, { whole }: { readonly whole: boolean }): Scrubbed {
  db.exec('PRAGMA secure_delete = ON')
  if (whole) vacuum(db)
  if (Number(pragma(db, 'freelist_count')) > 0) {
    db.exec(`PRAGMA incremental_vacuum(${PAGES})`)
    return { done: false }
  }
  const timeoutMs = Number(pragma(db, 'busy_timeout'))
  try {
    // Copies most of the log while others read and write, so that they wait only shortly for the rest.
    db.exec(`PRAGMA wal_checkpoint(PASSIVE); PRAGMA busy_timeout = ${HOLD_UP_MS}`)
    return { done: Number(pragma(db, 'wal_checkpoint(TRUNCATE)')) === 0 }
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeoutMs}`)
  }
}
