import { existsSync } from 'node:fs'
import { StoreError, type Operator } from '../../delivery/operator.js'
import { isServed } from './data-lock.js'
import { databasePath, openForReading, openForWriting, sqliteCode, type Connection } from './database.js'
import { deadLetters, find, list, read } from './operator/deliveries.js'
import { forget, forwarders, lastSequence } from './operator/forwarders.js'
import { countPrunable } from './operator/prunable.js'
import { release, type Judge } from './operator/release.js'
import { replay } from './operator/replay.js'
import { checkFiles, verify } from './operator/verify.js'
import { prune } from './prune.js'
import { SCHEMA_VERSION, schemaVersion, WrongDatabaseError } from './schema.js'

export interface SqliteOperatorOptions {
  readonly dataDir: string
  /** What `release` goes by. */
  readonly judge: Judge
  readonly now: () => number
}

/**
 * Opens the database in the data folder for looking and for small changes, beside a running service or without one.
 * @throws {StoreError}
 */
export function openSqliteOperator ({ dataDir, judge, now }: SqliteOperatorOptions): Operator {
  const path = databasePath(dataDir)
  if (!existsSync(path)) {
    throw new StoreError('NO_STORE', `There is no tierhook.db in ${dataDir}: name the right data folder with --data-dir or DATA_DIR, or start the service there first`)
  }
  const explained = <T>(work: () => T): T => explain(path, work)
  const reading = explained(() => openChecked(path))
  let writing: Connection | undefined

  /** Opened only for what changes something, so that looking needs no right to write. */
  function writable (): Connection {
    writing ??= openForWriting(path)
    return writing
  }

  return {
    isServed: async () => isServed(dataDir),
    lastSequence: async () => explained(() => lastSequence(reading)),
    list: async (query) => explained(() => list(reading, query)),
    find: async (idPrefix) => explained(() => find(reading, idPrefix)),
    read: async (sequence) => explained(() => read(reading, sequence)),
    deadLetters: async (query) => explained(() => deadLetters(reading, query)),
    release: async (request) => explained(() => release(writable(), request, judge, now())),
    replay: async (request) => explained(() => replay(request.dryRun ? reading : writable(), request, now())),
    forwarders: async (options) => explained(() => forwarders(reading, options?.except ?? [])),
    forget: async (request) => explained(() => forget(writable(), request)),
    verify: async (request) => explained(() => verify(reading, request)),
    checkFiles: async () => explained(() => checkFiles(reading)),
    prune: async (request) => explained(() => prune(writable(), request)),
    countPrunable: async ({ receivedBefore }) => explained(() => countPrunable(reading, receivedBefore)),
    async close () {
      if (reading.open) reading.close()
      writing?.close()
      writing = undefined
    }
  }
}

function openChecked (path: string): Connection {
  const db = openForReading(path)
  try {
    const version = schemaVersion(db)
    if (version < SCHEMA_VERSION) {
      throw new StoreError('WRONG_STORE', `The database ${path} has schema version ${version}, and this tierhook works with ${SCHEMA_VERSION}: start the service once, so that it brings it up to date`)
    }
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Says what an error of SQLite means to whoever runs a command, and what to do. */
function explain<T> (path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof WrongDatabaseError) throw new StoreError('WRONG_STORE', error.message, error)
    const code = sqliteCode(error) ?? ''
    if (code.startsWith('SQLITE_BUSY')) throw new StoreError('STORE_BUSY', `The database ${path} is in use by another process for longer than this waits: try again`, error)
    if (/^SQLITE_(?:READONLY|CANTOPEN|PERM|AUTH)/.test(code)) {
      throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be opened for this (${code}): run as the user that the service runs as, on a file system that can be written to`, error)
    }
    if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) {
      throw new StoreError('STORE_DAMAGED', `The database ${path} is damaged (${code}): "tierhook verify" tells what can still be read`, error)
    }
    if (/^SQLITE_(?:FULL|IOERR)/.test(code)) throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be written (${code}): look for room and for the health of its disk`, error)
    throw error
  }
}
