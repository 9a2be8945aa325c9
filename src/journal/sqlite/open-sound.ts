import { statSync } from 'node:fs'
import { damageError, isDamage, openForWriting, pragma, codeOf, type Connection } from './database.js'
import { cursorChecksum, toText } from '../record.js'
import { assess } from './salvage/assess.js'
import { salvage, type Salvaged, type SalvageOptions } from './salvage/salvage.js'
import { finishSwap } from './salvage/swap-files.js'
import { isSchemaWhole, migrate, WrongDatabaseError } from './schema.js'

/** Up to this size the whole structure is looked through at the start. Beyond, a damaged page is found when it is read. */
const CHECK_LIMIT_BYTES = 256 * 1024 * 1024
/**
 * How long the service waits for another program's lock, in milliseconds. A commit is tried twice, and a probe of readiness is to know before it
 * is given up what it waits for.
 */
const LOCK_TIMEOUT_MS = 1000

export interface OpenedSound {
  readonly db: Connection
  /** What became of a damaged database. */
  readonly salvaged: Salvaged | undefined
}

export interface OpenSoundOptions<T> extends SalvageOptions {
  /** Whether it is known to be damaged. */
  readonly damaged: boolean
  /**
   * Whether this process has had it open before. Then its front is not looked at: to close a file drops all locks that the process has on
   * it, those of SQLite's connections too, and another process would take itself for the only user.
   */
  readonly reopened: boolean
  /** Proves that it can be used, or throws. */
  readonly use: (db: Connection) => T
}

/**
 * Opens the database for writing, at the current schema version. One that is damaged is set aside, and what can be read of it is
 * taken over into a new one.
 * @throws {WrongDatabaseError}
 */
export function openSound<T> (path: string, { damaged, reopened, use, ...options }: OpenSoundOptions<T>): OpenedSound & { readonly used: T } {
  finishSwap(path)
  const assessment = reopened ? 'ours' : assess(path)
  if (assessment === 'no database') {
    throw new WrongDatabaseError(`The file ${path} is no database of tierhook, or nothing of one can be recognised in it. Move it away, or point DATA_DIR at a folder of its own.`)
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
    // The SQL itself is wrong, or what it names is not defined any more. To salvage what is whole would mend nothing, at one start after another.
    const damaged = codeOf(error) === 'SQLITE_ERROR' && !isSchemaWhole(db)
    db.close()
    throw damaged ? damageError(error instanceof Error ? error.message : '') : error
  }
}

/**
 * A page of the tree may lead nowhere, or elsewhere, without any error: what hangs from it is just not found. What waits is found by
 * its indexes alone, so that these must say what the table says.
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
