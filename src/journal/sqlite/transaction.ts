import type { Connection } from './database.js'

/** Runs `work` in a transaction of its own. Where it throws, or the commit fails, nothing of it stays. */
export function transaction<T> (db: Connection, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has rolled back by itself after some errors, such as a full disk.
    if (db.inTransaction()) db.exec('ROLLBACK')
    throw error
  }
}
