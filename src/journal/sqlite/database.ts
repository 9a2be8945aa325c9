import { dirname, join } from 'node:path'
import { systemCode } from '../../errors/system-code.js'
import { connect, type Connection, type ConnectOptions } from './binding.js'

export { connect, type Connection, type SqlValue, type Statement } from './binding.js'

/** How long a statement waits for a lock of another process, in milliseconds. */
const LOCK_TIMEOUT_MS = 2000
/** The write-ahead log is cut back to this size once it has been copied into the database. */
export const WAL_LIMIT_BYTES = 64 * 1024 * 1024
/**
 * Pages in the write-ahead log, of 4 KiB each, after which a commit copies into the database what the reader's thread has not copied
 * by then, and the log begins anew. With SQLite's 1000 a burst has that every 400 webhooks, with syncs of its own.
 */
const CHECKPOINT_PAGES = 4000

/** The size of a page in every database that we have made: SQLite's default. */
export const PAGE_BYTES = 4096

export function databasePath (dataDir: string): string {
  return join(dataDir, 'tierhook.db')
}

/** A connection that may write. A commit is on disk when it returns: `synchronous=FULL` syncs the log each time. */
export function openForWriting (path: string, { lockTimeoutMs = LOCK_TIMEOUT_MS }: Pick<ConnectOptions, 'lockTimeoutMs'> = {}): Connection {
  return configure(connect(path, { lockTimeoutMs }), (db) => {
    // Only has an effect on an empty file, and must come before anything is in it.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    // What is deleted is overwritten where its page is written anyway: an erasure finds no left-overs of it then.
    db.exec('PRAGMA secure_delete = FAST')
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}; PRAGMA temp_store = MEMORY`)
  })
}

/** A connection to a new file that nobody relies on before it is whole and synced: quick, and not safe. */
export function openDraft (path: string): Connection {
  return configure(connect(path, { lockTimeoutMs: LOCK_TIMEOUT_MS }), (db) => {
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -32768')
  })
}

/** How long closing waits for those who still read the log, in milliseconds. */
const LAST_CHECKPOINT_MS = 200

/**
 * Closes a connection that has written, with all of the log in the database: a copy of the database's file alone is whole then.
 * SQLite does that only for the last connection, and not while a statement of it is left.
 */
export function closeAfterWriting (db: Connection): void {
  try {
    db.exec(`PRAGMA busy_timeout = ${LAST_CHECKPOINT_MS}; PRAGMA wal_checkpoint(TRUNCATE)`)
  } catch {
    // A disk that fails or is full: what is committed is in the log, and the next start finds it there.
  }
  db.close()
}

/**
 * Closes a connection to a file that is to be used without its log. SQLite says nothing of it where it cannot copy the log as it closes.
 * @throws where not all of the log is in the database; the connection is open then
 */
export function closeWhole (db: Connection): void {
  if (Number(pragma(db, 'wal_checkpoint(TRUNCATE)')) !== 0) throw Object.assign(new Error('The log cannot be copied into the database'), { code: 'SQLITE_BUSY' })
  db.close()
}

/**
 * A connection that cannot write, for an operator. Where a salvage has put another database in the place of this one, closing it leaves
 * that one's log alone: SQLite goes by the log's name.
 */
export function openForLooking (path: string): Connection {
  return configure(connect(path, { lockTimeoutMs: LOCK_TIMEOUT_MS, readOnly: true }), (db) => { db.exec('PRAGMA temp_store = MEMORY') })
}

/** A connection that changes nothing that is stored. It may copy the log into the database, and syncs both then. */
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
 * Writes the whole file anew, without space that is in no use. What SQLite puts aside meanwhile is as large as the database and holds all that it does: it
 * goes to the disk that the database is on, since the memory is too small for it, and a container's `/tmp` often is memory too.
 */
export function writeAnew (db: Connection): void {
  db.exec(`PRAGMA temp_store = FILE; PRAGMA temp_store_directory = '${dirname(db.path).replaceAll("'", "''")}'`)
  try {
    db.exec('VACUUM')
  } finally {
    // It is the whole process's.
    db.exec("PRAGMA temp_store_directory = ''; PRAGMA temp_store = MEMORY")
  }
}

/** The code of an error, such as `SQLITE_FULL` or `ENOSPC`; `undefined` where it has none. */
export const codeOf = systemCode

/** What a pragma gives first, such as `PRAGMA page_count`. */
export function pragma (db: Connection, name: string): unknown {
  return Object.values(Object(db.prepare(`PRAGMA ${name}`).get()))[0]
}

/** Whether SQLite could not read a page. */
export function isDamage (error: unknown): boolean {
  const code = codeOf(error)
  return code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB'
}

/** An error like the one that SQLite gives for a damaged page, for damage that it does not notice. */
export function damageError (message: string): Error {
  return Object.assign(new Error(`The database is damaged: ${message}`), { code: 'SQLITE_CORRUPT' })
}

/** What `read` returns, or `otherwise` where it meets a damaged page. */
export function unlessDamaged<T, U> (read: () => T, otherwise: U): T | U {
  try {
    return read()
  } catch (error) {
    if (isDamage(error)) return otherwise
    throw error
  }
}

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

/** What is read together is of one moment: nothing is removed in between. */
export function atOneMoment<T> (db: Connection, read: () => T): T {
  db.exec('BEGIN')
  try {
    return read()
  } finally {
    // Where the disk fails, SQLite ends the transaction by itself. To roll it back again would hide the disk's error.
    if (db.inTransaction()) db.exec('ROLLBACK')
  }
}
