import { dirname, join } from 'node:path'
import { systemCode } from '../../errors/system-code.js'
import { connect, type Connection, type ConnectOptions } from './binding.js'

export { connect, type Connection, type SqlValue, type Statement } from './binding.js'

/** How long a statement waits for a lock of another process, in milliseconds. */
const LOCK_TIMEOUT_MS = 2000
/** After it has been copied into the database, the write-ahead log is cut back to this size. */
export const WAL_LIMIT_BYTES = 64 * 1024 * 1024
/**
 * At this many pages of 4 KiB in the write-ahead log, a commit copies into the database what the deliver thread has not copied yet, and
 * the log begins anew. With SQLite's 1000, a burst would do that every 400 webhooks, each time with syncs.
 */
const CHECKPOINT_PAGES = 4000

/** The page size of every database that tierhook makes: SQLite's default. */
export const PAGE_BYTES = 4096

export function databasePath (dataDir: string): string {
  return join(dataDir, 'tierhook.db')
}

/** Opens a connection that may write. A commit is on disk when it returns, because `synchronous=FULL` syncs the log each time. */
export function openForWriting (path: string, { lockTimeoutMs = LOCK_TIMEOUT_MS }: Pick<ConnectOptions, 'lockTimeoutMs'> = {}): Connection {
  return configure(connect(path, { lockTimeoutMs }), (db) => {
    // Only works on an empty file, so it must come before any content.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    // Overwrites deleted content on pages that are written anyway, so that an erasure leaves no remains of it.
    db.exec('PRAGMA secure_delete = FAST')
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}; PRAGMA temp_store = MEMORY`)
  })
}

/** Opens a new file for fast and unsafe writing. Nothing may rely on the file before it is complete and synced. */
export function openDraft (path: string): Connection {
  return configure(connect(path, { lockTimeoutMs: LOCK_TIMEOUT_MS }), (db) => {
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -32768')
  })
}

/** How long closing waits for connections that still read the log, in milliseconds. */
const LAST_CHECKPOINT_MS = 200

/**
 * Closes a connection that has written, after copying all of the log into the database: then a copy of the database's file alone is
 * complete. SQLite does that only for the last connection, and only if no statement of it is left.
 */
export function closeAfterWriting (db: Connection): void {
  try {
    db.exec(`PRAGMA busy_timeout = ${LAST_CHECKPOINT_MS}; PRAGMA wal_checkpoint(TRUNCATE)`)
  } catch {
    // The disk fails or is full. Committed data is in the log, and the next start finds it there.
  }
  db.close()
}

/**
 * Closes a connection to a file that will be used without its log. SQLite reports no error if it cannot copy the log when it closes.
 * @throws if not all of the log is in the database; the connection then stays open
 */
export function checkpointAndClose (db: Connection): void {
  if (Number(pragma(db, 'wal_checkpoint(TRUNCATE)')) !== 0) throw Object.assign(new Error('The log cannot be copied into the database'), { code: 'SQLITE_BUSY' })
  db.close()
}

/**
 * Opens a connection that cannot write, for an operator. Closing it never removes a log. That matters if a salvage has replaced the
 * database: SQLite finds a log by its name, and the log with that name belongs to the new database then.
 */
export function openReadOnly (path: string): Connection {
  return configure(connect(path, { lockTimeoutMs: LOCK_TIMEOUT_MS, readOnly: true }), (db) => { db.exec('PRAGMA temp_store = MEMORY') })
}

/** Opens a connection that changes no stored data. It may copy the log into the database, and then syncs both. */
export function openForReading (path: string): Connection {
  return configure(connect(path, { lockTimeoutMs: LOCK_TIMEOUT_MS }), (db) => { db.exec('PRAGMA query_only = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY') })
}

function configure (db: Connection, setUp: (db: Connection) => void): Connection {
  try {
    setUp(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Rewrites the whole file without unused space. SQLite's temporary file is as large as the database and has all its content. It goes to
 * the disk of the database: memory is too small for it, and a container's `/tmp` is often memory too.
 */
export function vacuum (db: Connection): void {
  db.exec(`PRAGMA temp_store = FILE; PRAGMA temp_store_directory = '${dirname(db.path).replaceAll("'", "''")}'`)
  try {
    db.exec('VACUUM')
  } finally {
    // The setting is for the whole process.
    db.exec("PRAGMA temp_store_directory = ''; PRAGMA temp_store = MEMORY")
  }
}

/** The code of an error, such as `SQLITE_FULL` or `ENOSPC`; `undefined` if it has none. */
export const codeOf = systemCode

/** Returns the first value of a pragma, such as `page_count`. */
export function pragma (db: Connection, name: string): unknown {
  return Object.values(Object(db.prepare(`PRAGMA ${name}`).get()))[0]
}

/** Whether SQLite could not read a page, or does not recognise the file as a database. */
export function isDamage (error: unknown): boolean {
  const code = codeOf(error)
  return code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB'
}

/** Makes an error like SQLite's for a damaged page, for damage that SQLite does not notice. */
export function damageError (message: string): Error {
  return Object.assign(new Error(`The database is damaged: ${message}`), { code: 'SQLITE_CORRUPT' })
}

/** Returns what `read` returns, or `otherwise` if it meets a damaged page. */
export function unlessDamaged<T, U> (read: () => T, otherwise: U): T | U {
  try {
    return read()
  } catch (error) {
    if (isDamage(error)) return otherwise
    throw error
  }
}

/** Runs `work` in a transaction. If it throws, or the commit fails, the transaction is rolled back. */
export function transaction<T> (db: Connection, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // After some errors, such as a full disk, SQLite has rolled back already.
    if (db.inTransaction()) db.exec('ROLLBACK')
    throw error
  }
}

/** Runs `read` on one snapshot: nothing is removed between its queries. */
export function inSnapshot<T> (db: Connection, read: () => T): T {
  db.exec('BEGIN')
  try {
    return read()
  } finally {
    // If the disk fails, SQLite ends the transaction itself. Another rollback would hide the disk's error.
    if (db.inTransaction()) db.exec('ROLLBACK')
  }
}
