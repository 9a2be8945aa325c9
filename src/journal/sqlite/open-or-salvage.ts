import { statSync } from 'node:fs'
import { damageError, isDamage, openForWriting, pragma, codeOf, type Connection } from './database.js'
import { cursorChecksum, toText } from '../record.js'
import { assess } from './salvage/assess.js'
import { salvage, type Salvaged, type SalvageOptions } from './salvage/salvage.js'
import { finishSwap } from './salvage/swap-files.js'
import { isSchemaWhole, migrate, WrongDatabaseError } from './schema.js'

/** Up to this size, the start checks the whole structure. In a larger database, a damaged page is found when it is read. */
const CHECK_LIMIT_BYTES = 256 * 1024 * 1024
/**
 * How long the service waits for another program's lock, in milliseconds. A commit is tried twice, and a readiness probe must learn the
 * reason before it times out.
 */
const LOCK_TIMEOUT_MS = 1000

export interface OpenedDatabase {
  readonly db: Connection
  /** What was salvaged, if the database was damaged. */
  readonly salvaged: Salvaged | undefined
}

export interface OpenOrSalvageOptions<T> extends SalvageOptions {
  /** Whether the database is known to be damaged. */
  readonly damaged: boolean
  /**
   * Whether this process has opened the database before. Then its first bytes are not read: closing the file would drop all locks that the
   * process holds on it, SQLite's too, and another process would take itself for the only user.
   */
  readonly reopened: boolean
  /** Begins to use the database. Throws if that is not possible. */
  readonly use: (db: Connection) => T
}

/**
 * Opens the database for writing, at the current schema version. Sets a damaged database aside, and copies what can be read of it into a
 * new one.
 * @throws {WrongDatabaseError}
 */
export function openOrSalvage<T> (path: string, { damaged, reopened, use, ...options }: OpenOrSalvageOptions<T>): OpenedDatabase & { readonly used: T } {
  finishSwap(path)
  const assessment = reopened ? 'ours' : assess(path)
  if (assessment === 'no database') {
    throw new WrongDatabaseError(`The file ${path} is not a database of tierhook, or is damaged beyond recognition. Move it away, or point DATA_DIR at a folder of its own.`)
  }
  if (!damaged && assessment !== 'ours, damaged') {
    try {
      return { ...open(path, use), salvaged: undefined }
    } catch (error) {
      if (assessment !== 'ours' || !isDamage(error)) throw error
    }
  }
  const salvaged = salvage(path, options)
  return { ...open(path, use), salvaged }
}

function open<T> (path: string, use: (db: Connection) => T): { readonly db: Connection, readonly used: T } {
  const db = openForWriting(path, { lockTimeoutMs: LOCK_TIMEOUT_MS })
  try {
    migrate(db)
    checkStructure(db, path)
    checkForwarders(db)
    return { db, used: use(db) }
  } catch (error) {
    // Either the SQL is wrong, or the schema is damaged. If the schema is complete, a salvage would not help, and would repeat at every start.
    const damaged = codeOf(error) === 'SQLITE_ERROR' && !isSchemaWhole(db)
    db.close()
    throw damaged ? damageError(error instanceof Error ? error.message : '') : error
  }
}

/**
 * Checks the structure of the file. A damaged page can hide rows without any error of SQLite. Marks are found only by their indexes, so
 * those must match their table.
 */
function checkStructure (db: Connection, path: string): void {
  if (statSync(path).size > CHECK_LIMIT_BYTES) return
  for (const check of ['quick_check(1)', 'integrity_check(waiting)']) {
    const complaint = String(pragma(db, check) ?? 'ok')
    if (complaint !== 'ok') throw damageError(complaint)
  }
}

function checkForwarders (db: Connection): void {
  const rows = db.prepare('SELECT name, cursor, checksum FROM forwarders').all()
  const wrong = rows.map((row) => toText<{ name: string, cursor: number, checksum: number | null }>(row)).find(({ name, cursor, checksum }) => checksum !== null && checksum !== cursorChecksum(name, cursor))
  if (wrong !== undefined) throw damageError(`the place of forwarder ${wrong.name} is not the one that was written`)
}
