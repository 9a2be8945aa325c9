import { createRequire } from 'node:module'
import type { backup, DatabaseSyncInstance, SqliteModule } from '@photostructure/sqlite'

/** A value of a column. */
export type SqlValue = string | number | null | Uint8Array

/** A prepared statement. It refers to its connection, which would otherwise be closed if only its statements are in use. */
export interface Statement {
  readonly get: (values?: readonly SqlValue[]) => object | undefined
  readonly all: (values?: readonly SqlValue[]) => readonly object[]
  readonly run: (values?: readonly SqlValue[]) => { readonly changes: number, readonly lastInsertRowid: number }
}

/** One connection to a database. Its errors have SQLite's name of the error as their `code`. */
export interface Connection {
  /** The path that it was opened with. */
  readonly path: string
  /** Runs statements and ignores their results. */
  readonly exec: (sql: string) => void
  readonly prepare: (sql: string) => Statement
  readonly inTransaction: () => boolean
  /** Idempotent. */
  readonly close: () => void
}

export interface ConnectOptions {
  /** How long a statement waits for another connection's lock, in milliseconds. */
  readonly lockTimeoutMs?: number
  /** Whether the connection cannot write. Then closing it neither copies nor removes the write-ahead log. */
  readonly readOnly?: boolean
}

/** SQLite 3.7.0 to 3.51.2 can lose pages when one connection checkpoints while another commits (https://sqlite.org/wal.html#walresetbug). */
export const OLDEST_SQLITE = '3.51.3'

/** The SQLite library is older than the oldest safe version. */
export class OldSqliteError extends Error {
  override readonly name = 'OldSqliteError'
  readonly code = 'OLD_SQLITE'
}

interface Binding {
  readonly DatabaseSync: SqliteModule['DatabaseSync']
  readonly backup: typeof backup
}

const require = createRequire(import.meta.url)
let loaded: Binding | undefined

/**
 * Returns the SQLite of Node.js if it is new enough, otherwise that of a package with the same API: Node.js 20 has none.
 * @throws {OldSqliteError}
 */
export function sqlite (): Binding {
  if (loaded !== undefined) return loaded
  const found: Binding = isSound(process.versions.sqlite) ? withoutWarning(() => require('node:sqlite')) : require('@photostructure/sqlite')
  const probe = new found.DatabaseSync(':memory:')
  const version = String(Object.values(Object(probe.prepare('SELECT sqlite_version()').get()))[0])
  probe.close()
  if (!isSound(version)) {
    throw new OldSqliteError(`This tierhook runs with SQLite ${version}, which can lose pages of its database. It needs ${OLDEST_SQLITE} or newer: update Node.js, or run "npm ci" again.`)
  }
  loaded = found
  return found
}

/** Whether a version of SQLite is free of that fault. */
export function isSound (version: string | undefined): boolean {
  if (version === undefined) return false
  return version.localeCompare(OLDEST_SQLITE, 'en', { numeric: true }) >= 0
}

/** Node.js 22 and 24 warn on stderr that the module is experimental, in each process that loads it. */
function withoutWarning<T> (load: () => T): T {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

/**
 * Opens a database, or creates an empty one.
 * @throws {OldSqliteError}
 */
export function connect (path: string, { lockTimeoutMs = 0, readOnly = false }: ConnectOptions = {}): Connection {
  const { DatabaseSync } = sqlite()
  // In defensive mode, `journal_mode = OFF` has no effect. The mode is not needed, because only our own statements run here.
  const db: DatabaseSyncInstance = named(() => new DatabaseSync(path, { timeout: lockTimeoutMs, readOnly, defensive: false }), path)
  return {
    path,
    exec: (sql) => { named(() => { db.exec(sql) }) },
    prepare: (sql) => prepare(db, sql),
    inTransaction: () => db.isTransaction,
    close () { if (db.isOpen) named(() => { db.close() }) }
  }
}

function prepare (db: DatabaseSyncInstance, sql: string): Statement {
  // The package closes a database that nothing refers to, even while its statements are in use.
  const held = { db, statement: named(() => db.prepare(sql)) }
  return {
    get (values = []): object | undefined {
      try {
        return held.statement.get(...values)
      } catch (error) {
        throw withCode(error)
      }
    },
    all (values = []): readonly object[] {
      try {
        return held.statement.all(...values)
      } catch (error) {
        throw withCode(error)
      }
    },
    run (values = []) {
      try {
        const { changes, lastInsertRowid } = held.statement.run(...values)
        return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
      } catch (error) {
        throw withCode(error)
      }
    }
  }
}

/**
 * Copies a database into a new file, page by page, while others read and write it. The copy is a snapshot of the time at which it began.
 * @param onProgress called with the number of pages copied and of all pages; if it throws, copying ends
 */
export async function copyDatabase (path: string, to: string, onProgress?: (copied: number, of: number) => void): Promise<void> {
  const { DatabaseSync, backup } = sqlite()
  const db = named(() => new DatabaseSync(path, { timeout: 2000, readOnly: true }), path)
  try {
    // The open transaction pins one snapshot. Without it, SQLite starts again after each commit of another connection: under load, for ever.
    db.exec('BEGIN')
    db.prepare('SELECT count(*) FROM sqlite_master').get()
    await backup(db, to, { rate: 1000, progress: ({ totalPages, remainingPages }) => { onProgress?.(totalPages - remainingPages, totalPages) } })
  } catch (error) {
    throw withCode(error)
  } finally {
    // An aborted copy holds the connection until it is garbage-collected, so end the snapshot here.
    if (db.isTransaction) db.exec('ROLLBACK')
    db.close()
  }
}

function named<T> (work: () => T, path?: string): T {
  try {
    return work()
  } catch (error) {
    throw withCode(error, path)
  }
}

/** Sets an error's `code` to SQLite's name for it, such as `SQLITE_FULL`. */
function withCode (error: unknown, path?: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  // No version of tierhook wrote this number: a flipped bit made it.
  if (error.code === 'ERR_OUT_OF_RANGE') return Object.assign(new Error(`The database is damaged: ${error.message}`, { cause: error }), { code: 'SQLITE_CORRUPT' })
  if (error.code !== 'ERR_SQLITE_ERROR') return error
  const number = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
  // For an error while rows are read, the package gives no number, only SQLite's English text.
  const code = number === undefined ? namesByText.find(([text]) => error.message.includes(text))?.[1] : namesByNumber[number] ?? namesByNumber[number & 0xFF]
  return Object.assign(error, { code: code ?? 'SQLITE_ERROR', ...(path === undefined ? {} : { message: `${path}: ${error.message}` }) })
}

/** The names by extended code, or by its lowest byte (https://sqlite.org/rescode.html). */
const namesByNumber: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  19: 'SQLITE_CONSTRAINT',
  26: 'SQLITE_NOTADB',
  // A file system without locks answers each kind of lock with another of these.
  2058: 'SQLITE_IOERR_LOCK',
  2314: 'SQLITE_IOERR_LOCK',
  3594: 'SQLITE_IOERR_LOCK',
  3850: 'SQLITE_IOERR_LOCK',
  5130: 'SQLITE_IOERR_LOCK'
}

const namesByText: ReadonlyArray<readonly [text: string, name: string]> = [
  ['database disk image is malformed', 'SQLITE_CORRUPT'], ['disk I/O error', 'SQLITE_IOERR'], ['database or disk is full', 'SQLITE_FULL'],
  ['database is locked', 'SQLITE_BUSY'], ['database table is locked', 'SQLITE_LOCKED'], ['locking protocol', 'SQLITE_PROTOCOL'], ['file is not a database', 'SQLITE_NOTADB'], ['unable to open database file', 'SQLITE_CANTOPEN'],
  ['attempt to write a readonly database', 'SQLITE_READONLY'], ['out of memory', 'SQLITE_NOMEM']
]
