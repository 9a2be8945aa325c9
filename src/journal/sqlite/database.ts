import Database from 'libsql'
import { join } from 'node:path'

export type Connection = Database.Database
export type Statement = Pick<Database.Statement, 'get' | 'run'>

/** How long a statement waits for a lock of another process, in milliseconds. */
const LOCK_TIMEOUT_MS = 2000
/** The write-ahead log is cut back to this size once it has been copied into the database. */
const WAL_LIMIT_BYTES = 64 * 1024 * 1024
/**
 * Pages in the write-ahead log, of 4 KiB each, after which a commit copies into the database what the reader's thread has not copied
 * by then, and the log begins anew. With SQLite's 1000 a burst has that every 400 webhooks, with syncs of its own.
 */
const CHECKPOINT_PAGES = 4000

export function databasePath (dataDir: string): string {
  return join(dataDir, 'tierhook.db')
}

/** A connection that may write. A commit is on disk when it returns: `synchronous=FULL` syncs the log each time. */
export function openForWriting (path: string): Connection {
  return configure(connect(path), (db) => {
    // Only has an effect on an empty file, and must come before anything is in it.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}; PRAGMA temp_store = MEMORY`)
  })
}

/** A connection to a new file that nobody relies on before it is whole and synced: quick, and not safe. */
export function openDraft (path: string): Connection {
  return configure(connect(path), (db) => {
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = OFF')
    db.exec('PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -32768')
  })
}

/** A connection that changes nothing that is stored. It may copy the log into the database, and syncs both then. */
export function openForReading (path: string): Connection {
  return configure(connect(path), (db) => { db.exec('PRAGMA query_only = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY') })
}

/** Where opening fails, libsql tells SQLite's code only at the end of its message. */
function connect (path: string): Connection {
  try {
    return new Database(path, { timeout: LOCK_TIMEOUT_MS })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const code = openFailures[/: (\d+)"?\)?$/.exec(message)?.[1] ?? '']
    throw code === undefined ? error : Object.assign(new Error(`${path}: ${message}`), { code })
  }
}

const openFailures: Readonly<Record<string, string>> = { 5: 'SQLITE_BUSY', 8: 'SQLITE_READONLY', 10: 'SQLITE_IOERR', 13: 'SQLITE_FULL', 14: 'SQLITE_CANTOPEN' }

function configure (db: Connection, setUp: (db: Connection) => void): Connection {
  try {
    setUp(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** SQLite's name for what went wrong, such as `SQLITE_FULL`; `undefined` for other errors. */
export function sqliteCode (error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return undefined
  const extended = /^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(code)?.[1]
  return extended === undefined ? code : primaryCodes[Number(extended) & 0xFF] ?? code
}

/** By the lowest byte of an extended code: libsql has no name for some, such as for an index that does not agree with its table. */
const primaryCodes: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY', 8: 'SQLITE_READONLY', 10: 'SQLITE_IOERR', 11: 'SQLITE_CORRUPT', 13: 'SQLITE_FULL', 14: 'SQLITE_CANTOPEN', 26: 'SQLITE_NOTADB'
}

/** A statement that can be run again after it has failed: libsql leaves one that met a damaged page at that page for good. */
export function prepareAnew (db: Connection, sql: string): Statement {
  let statement = db.prepare(sql)
  function attempt<T> (work: (statement: Database.Statement) => T): T {
    try {
      return work(statement)
    } catch (error) {
      statement = db.prepare(sql)
      throw error
    }
  }
  return {
    get: (...parameters) => attempt((statement): unknown => statement.get(...parameters)),
    run: (...parameters) => attempt((statement) => statement.run(...parameters))
  }
}

/** Whether SQLite could not read a page. */
export function isDamage (error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
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
