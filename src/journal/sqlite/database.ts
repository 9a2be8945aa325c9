import Database from 'libsql'
import { join } from 'node:path'

export type Connection = Database.Database

/** How long a statement waits for a lock of another process, in milliseconds. */
const LOCK_TIMEOUT_MS = 2000
/** The write-ahead log is cut back to this size once it has been copied into the database. */
const WAL_LIMIT_BYTES = 64 * 1024 * 1024

export function databasePath (dataDir: string): string {
  return join(dataDir, 'tierhook.db')
}

/** A connection that may write. A commit is on disk when it returns: `synchronous=FULL` syncs the log each time. */
export function openForWriting (path: string): Connection {
  const db = new Database(path, { timeout: LOCK_TIMEOUT_MS })
  // Only has an effect on an empty file, and must come before anything is in it.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.pragma('journal_mode = WAL')
  db.exec(`PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}; PRAGMA temp_store = MEMORY`)
  return db
}

export function openForReading (path: string): Connection {
  const db = new Database(path, { timeout: LOCK_TIMEOUT_MS })
  db.exec('PRAGMA query_only = ON; PRAGMA temp_store = MEMORY')
  return db
}

/** SQLite's name for what went wrong, such as `SQLITE_FULL`; `undefined` for other errors. */
export function sqliteCode (error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
