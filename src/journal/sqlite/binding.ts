import { createRequire } from 'node:module'
import type { backup, DatabaseSyncInstance, SqliteModule } from '@photostructure/sqlite'

/** What a column may hold. */
export type SqlValue = string | number | null | Uint8Array

/** A prepared statement. It keeps its connection open: nothing else holds on to a connection that only its statements use. */
export interface Statement {
  readonly get: (values?: readonly SqlValue[]) => object | undefined
  readonly all: (values?: readonly SqlValue[]) => readonly object[]
  readonly run: (values?: readonly SqlValue[]) => { readonly changes: number, readonly lastInsertRowid: number }
}

/** One connection to a database. What it throws has SQLite's name for the error as its `code`. */
export interface Connection {
  /** The path that it was opened with. */
  readonly path: string
  /** Runs statements, and returns nothing of what they give. */
  readonly exec: (sql: string) => void
  readonly prepare: (sql: string) => Statement
  readonly inTransaction: () => boolean
  /** Idempotent. */
  readonly close: () => void
}

export interface ConnectOptions {
  /** How long a statement waits for another connection's lock, in milliseconds. */
  readonly lockTimeoutMs?: number
  /** Whether nothing can be written: then closing neither copies nor removes the write-ahead log. */
  readonly readOnly?: boolean
}

/** SQLite 3.7.0 to 3.51.2 can lose pages when one connection checkpoints while another commits (https://sqlite.org/wal.html#walresetbug). */
export const OLDEST_SQLITE = '3.51.3'

/** The SQLite library is older than the oldest that is sound. */
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
 * The SQLite of Node.js where it is new enough, and else that of a package with the same API: Node.js 20 has none.
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

/** Whether a version of SQLite is free of the fault. */
export function isSound (version: string | undefined): boolean {
  if (version === undefined) return false
  return version.localeCompare(OLDEST_SQLITE, 'en', { numeric: true }) >= 0
}

/** Node.js 22 and 24 warn that the module is experimental, on stderr, each time that a process loads it. */
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
 * Opens a database; makes an empty one where there is none.
 * @throws {OldSqliteError}
 */
export function connect (path: string, { lockTimeoutMs = 0, readOnly = false }: ConnectOptions = {}): Connection {
  const { DatabaseSync } = sqlite()
  // Only our own statements reach it. In the defensive mode, `journal_mode = OFF` has no effect.
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
  // The package closes a database that nothing refers to, also while its statements are in use.
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
 * Copies a database into a new file, page by page, while others read and write it: the copy is of the moment at which it began.
 * @param onProgress told how many of how many pages are copied; what it throws ends the copying
 */
export async function copyDatabase (path: string, to: string, onProgress?: (copied: number, of: number) => void): Promise<void> {
  const { DatabaseSync, backup } = sqlite()
  const db = named(() => new DatabaseSync(path, { timeout: 2000, readOnly: true }), path)
  try {
    // SQLite begins the copy anew after each commit of somebody else, and never ends under load, unless it reads all at one moment.
    db.exec('BEGIN')
    db.prepare('SELECT count(*) FROM sqlite_master').get()
    await backup(db, to, { rate: 1000, progress: ({ totalPages, remainingPages }) => { onProgress?.(totalPages - remainingPages, totalPages) } })
  } catch (error) {
    throw withCode(error)
  } finally {
    // What was ended half-way keeps the connection, and its moment with it, until it is collected.
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

/** Gives an error SQLite's name for it as its code, such as `SQLITE_FULL`. */
function withCode (error: unknown, path?: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  // A number that no program of ours has written: a flipped bit made it.
  if (error.code === 'ERR_OUT_OF_RANGE') return Object.assign(new Error(`The database is damaged: ${error.message}`, { cause: error }), { code: 'SQLITE_CORRUPT' })
  if (error.code !== 'ERR_SQLITE_ERROR') return error
  const number = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
  // The package gives no number for what fails while many rows are read, only SQLite's English text for it.
  const code = number === undefined ? namesByText.find(([text]) => error.message.includes(text))?.[1] : namesByNumber[number] ?? namesByNumber[number & 0xFF]
  return Object.assign(error, { code: code ?? 'SQLITE_ERROR', ...(path === undefined ? {} : { message: `${path}: ${error.message}` }) })
}

/** By an extended code, or by its lowest byte (https://sqlite.org/rescode.html). */
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
  // A file system without locks answers each kind of one with an error.
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
