import { statSync } from 'node:fs'
import { StoreError, type Operator } from '../../delivery/operator.js'
import { isServed, keepInPlace } from './data-lock.js'
import { closeAfterWriting, databasePath, openForLooking, openForWriting, codeOf, type Connection } from './database.js'
import { erase } from './erase/erase.js'
import { scrub } from './erase/scrub.js'
import { deadLetterPage, deadLetters } from './operator/dead-letters.js'
import { find, list, page, read } from './operator/deliveries.js'
import { discard } from './operator/discard.js'
import { forget, forwarders, keepPaused, lastSequence } from './operator/forwarders.js'
import { countPrunable } from './operator/prunable.js'
import { countQuarantined } from './operator/quarantined.js'
import { release, type Judge } from './operator/release.js'
import { replay, type ParseFilter } from './operator/replay.js'
import { unfinished } from './operator/unfinished.js'
import { checkFiles, verify } from './operator/verify.js'
import { prune } from './prune.js'
import { SCHEMA_VERSION, schemaVersion, WrongDatabaseError } from './schema.js'

/** What an operator does, at once instead of in promises. */
export type OperatorApi = {
  readonly [K in keyof Operator]: (...parameters: Parameters<Operator[K]>) => Awaited<ReturnType<Operator[K]>>
}

export interface SqliteOperatorOptions {
  readonly dataDir: string
  /** What `release` goes by. */
  readonly judge: Judge
  /** Makes the filter of a forwarder of the text that the journal keeps of it. */
  readonly parseFilter: ParseFilter
  readonly now: () => number
}

/**
 * Opens the database in the data folder for looking and for small changes, beside a running service or without one.
 * @throws {StoreError}
 */
export function openSqliteOperator (options: SqliteOperatorOptions): Operator {
  const api = openOperatorApi(options)
  return {
    isServed: async () => api.isServed(),
    lastSequence: async () => api.lastSequence(),
    countQuarantined: async () => api.countQuarantined(),
    list: async (query) => api.list(query),
    page: async (query) => api.page(query),
    find: async (idPrefix) => api.find(idPrefix),
    read: async (sequence) => api.read(sequence),
    deadLetters: async (query) => api.deadLetters(query),
    deadLetterPage: async (query) => api.deadLetterPage(query),
    unfinished: async (query) => api.unfinished(query),
    release: async (request) => api.release(request),
    replay: async (request) => api.replay(request),
    discard: async (request) => api.discard(request),
    keepPaused: async (request) => { api.keepPaused(request) },
    forwarders: async (options) => api.forwarders(options),
    forget: async (request) => api.forget(request),
    verify: async (request) => api.verify(request),
    checkFiles: async () => api.checkFiles(),
    prune: async (request) => api.prune(request),
    countPrunable: async (request) => api.countPrunable(request),
    erase: async (request) => api.erase(request),
    scrub: async (request) => api.scrub(request),
    close: async () => { api.close() }
  }
}

/**
 * The same, for a thread of its own.
 * @throws {StoreError}
 */
export function openOperatorApi ({ dataDir, judge, parseFilter, now }: SqliteOperatorOptions): OperatorApi {
  const path = databasePath(dataDir)
  checkThere(path, dataDir)
  const explained = <T>(work: () => T): T => explain(path, work)
  const reading = explained(() => openChecked(path))
  let writing: { readonly db: Connection, readonly place: ReturnType<typeof keepInPlace> } | undefined

  /** Opened only for what changes something, so that looking needs no right to write. */
  function writable (): Connection {
    writing ??= openInPlace(path, dataDir)
    return writing.db
  }

  return {
    isServed: () => isServed(dataDir),
    lastSequence: () => explained(() => lastSequence(reading)),
    countQuarantined: () => explained(() => countQuarantined(reading)),
    list: (query) => explained(() => list(reading, query)),
    page: (query) => explained(() => page(reading, query)),
    find: (idPrefix) => explained(() => find(reading, idPrefix)),
    read: (sequence) => explained(() => read(reading, sequence)),
    deadLetters: (query) => explained(() => deadLetters(reading, query)),
    deadLetterPage: (query) => explained(() => deadLetterPage(reading, query)),
    unfinished: (query) => explained(() => unfinished(reading, query)),
    release: (request) => explained(() => release(writable(), request, judge, now())),
    replay: (request) => explained(() => replay(request.dryRun ? reading : writable(), request, { now: now(), parseFilter })),
    discard: (request) => explained(() => discard(writable(), request, now())),
    keepPaused: (request) => { explained(() => { keepPaused(writable(), request) }) },
    forwarders: (options) => explained(() => forwarders(reading, options?.except ?? [])),
    forget: (request) => explained(() => forget(writable(), request)),
    verify: (request) => explained(() => verify(reading, request)),
    checkFiles: () => explained(() => checkFiles(reading)),
    prune: (request) => explained(() => prune(writable(), request)),
    countPrunable: ({ receivedBefore }) => explained(() => countPrunable(reading, receivedBefore)),
    erase: (request) => explained(() => erase(request.dryRun ? reading : writable(), request)),
    scrub: (request) => explained(() => scrub(writable(), request)),
    close () {
      reading.close()
      if (writing === undefined) return
      closeAfterWriting(writing.db)
      writing.place.release()
      writing = undefined
    }
  }
}

/** A folder that may not be entered is the service's own, most often, and not the wrong one. */
export function checkThere (path: string, dataDir: string): void {
  try {
    statSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new StoreError('NO_STORE', `There is no tierhook.db in ${dataDir}: name the right data folder with --data-dir or DATA_DIR, or start the service there first`, error)
    }
    throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be reached (${code}): run as the user that the service runs as`, error)
  }
}

function openInPlace (path: string, dataDir: string): { readonly db: Connection, readonly place: ReturnType<typeof keepInPlace> } {
  const place = keepInPlace(dataDir)
  try {
    return { db: openForWriting(path), place }
  } catch (error) {
    place.release()
    throw error
  }
}

function openChecked (path: string): Connection {
  const db = openForLooking(path)
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
    const code = codeOf(error) ?? ''
    if (code.startsWith('SQLITE_BUSY')) throw new StoreError('STORE_BUSY', `The database ${path} is in use by another process for longer than this waits: try again`, error)
    if (/^SQLITE_(?:READONLY|CANTOPEN|PERM|AUTH)/.test(code)) {
      throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be opened for this (${code}): run as the user that the service runs as, on a file system that can be written to`, error)
    }
    // SQL that has always worked does not fail by itself: the definition of a table, an index or a trigger is damaged then.
    if (/^SQLITE_(?:CORRUPT|NOTADB|ERROR)/.test(code)) {
      throw new StoreError('STORE_DAMAGED', `The database ${path} is damaged (${code}): at its next start, or when it meets the damage, the service sets it aside and takes over what can be read; "tierhook verify" tells what cannot`, error)
    }
    if (/^SQLITE_(?:FULL|IOERR)/.test(code)) throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be written (${code}): look for room and for the health of its disk`, error)
    throw error
  }
}
