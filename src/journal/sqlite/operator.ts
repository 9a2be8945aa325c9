import { statSync } from 'node:fs'
import { StoreError, type Operator } from '../../delivery/operator.js'
import { isServed, lockForWriting } from './data-lock.js'
import { closeAfterWriting, databasePath, openReadOnly, openForWriting, codeOf, type Connection } from './database.js'
import { erase } from './erase/erase.js'
import { scrub } from './erase/scrub.js'
import { explained } from './explain.js'
import { identityOf } from './open-files.js'
import { countPrunable, countQuarantined } from './operator/counts.js'
import { deadLetterPage, deadLetters } from './operator/dead-letters.js'
import { find, list, page, read } from './operator/deliveries.js'
import { discard } from './operator/discard.js'
import { forget, forwarders, keepPaused, lastSequence, unfinished } from './operator/forwarders.js'
import { release, type Judge } from './operator/release.js'
import { replay, type ParseFilter } from './operator/replay.js'
import { checkFiles, verify } from './operator/verify.js'
import { prune } from './prune.js'
import { SCHEMA_VERSION, schemaVersion } from './schema.js'

/** The calls of an operator except `close`, without promises. */
export type OperatorCalls = {
  readonly [K in Exclude<keyof Operator, 'close'>]: (...parameters: Parameters<Operator[K]>) => Awaited<ReturnType<Operator[K]>>
}

export interface SqliteOperatorOptions {
  readonly dataDir: string
  /** Validates a delivery again before it is released. */
  readonly judge: Judge
  /** Parses a forwarder's filter from the text that the journal stores. */
  readonly parseFilter: ParseFilter
  readonly now: () => number
}

/** A store that is open for an operator. */
interface Opened extends SqliteOperatorOptions {
  readonly reading: Connection
  /** Opened at the first change, so that queries need no permission to write. */
  readonly writable: () => Connection
  readonly close: () => void
}

/** The implementation of each call. Its keys are the names of all calls. */
const calls: { readonly [K in keyof OperatorCalls]: (opened: Opened, ...parameters: Parameters<OperatorCalls[K]>) => ReturnType<OperatorCalls[K]> } = {
  isServed: ({ dataDir }) => isServed(dataDir),
  lastSequence: ({ reading }) => lastSequence(reading),
  countQuarantined: ({ reading }) => countQuarantined(reading),
  list: ({ reading }, query) => list(reading, query),
  page: ({ reading }, query) => page(reading, query),
  find: ({ reading }, idPrefix) => find(reading, idPrefix),
  read: ({ reading }, sequence) => read(reading, sequence),
  deadLetters: ({ reading }, query) => deadLetters(reading, query),
  deadLetterPage: ({ reading }, query) => deadLetterPage(reading, query),
  unfinished: ({ reading }, query) => unfinished(reading, query),
  release: ({ writable, judge, now }, request) => release(writable(), request, judge, now()),
  replay: ({ reading, writable, parseFilter, now }, request) => replay(request.dryRun ? reading : writable(), request, { now: now(), parseFilter }),
  discard: ({ writable, now }, request) => discard(writable(), request, now()),
  keepPaused: ({ writable }, request) => { keepPaused(writable(), request) },
  forwarders: ({ reading }, options) => forwarders(reading, options?.except ?? []),
  forget: ({ writable }, request) => forget(writable(), request),
  verify: ({ reading }, request) => verify(reading, request),
  checkFiles: ({ reading }) => checkFiles(reading),
  prune: ({ writable }, request) => prune(writable(), request),
  countPrunable: ({ reading }, { receivedBefore }) => countPrunable(reading, receivedBefore),
  erase: ({ reading, writable }, request) => erase(request.dryRun ? reading : writable(), request),
  scrub: ({ writable }, request) => scrub(writable(), request)
}

export const operatorCallNames = Object.keys(calls) as ReadonlyArray<keyof OperatorCalls>

/** Makes all calls, each on the store that `use` returns at that time. */
function callsOn (use: () => Opened): OperatorCalls {
  const call = (name: keyof OperatorCalls) => (request: unknown): unknown => {
    const opened = use()
    return explained(databasePath(opened.dataDir), () => (calls[name] as (opened: Opened, request: unknown) => unknown)(opened, request))
  }
  return Object.fromEntries(operatorCallNames.map((name) => [name, call(name)])) as unknown as OperatorCalls
}

/**
 * Opens the database in the data folder for queries and small changes, with or without a running service.
 * @throws {StoreError}
 */
export function openSqliteOperator (options: SqliteOperatorOptions): Operator {
  const opened = open(options)
  const promised = Object.entries(callsOn(() => opened)).map(([name, call]) => [name, async (request: unknown) => await (call as (request: unknown) => unknown)(request)])
  return { ...Object.fromEntries(promised) as Omit<Operator, 'close'>, close: async () => { opened.close() } }
}

/** An operator's calls as the operator thread serves them. */
export interface OperatorThreadApi extends OperatorCalls {
  /** Sets the data folder. Opens nothing. */
  readonly open: (options: { readonly dataDir: string }) => void
  /** Closes the store until the next call, so that its file can be replaced. */
  readonly closeDatabase: () => void
  readonly close: () => void
}

/**
 * Creates an operator that keeps the store open between calls, because a connection's file descriptors may outlive it. If there is no
 * store yet, each call tries to open it. If the file was replaced, the next call opens the new one.
 */
export function createOperatorApi (options: Omit<SqliteOperatorOptions, 'dataDir'>): OperatorThreadApi {
  let dataDir = ''
  let opened: { readonly store: Opened, readonly file: string | undefined } | undefined

  function closeDatabase (): void {
    opened?.store.close()
    opened = undefined
  }

  function use (): Opened {
    const file = fileIn(dataDir)
    if (opened !== undefined && opened.file !== file) closeDatabase()
    opened ??= { store: open({ dataDir, ...options }), file }
    return opened.store
  }

  return { ...callsOn(use), open: (options) => { dataDir = options.dataDir }, closeDatabase, close: closeDatabase }
}

function open (options: SqliteOperatorOptions): Opened {
  const { dataDir } = options
  const path = databasePath(dataDir)
  checkThere(path, dataDir)
  const reading = explained(path, () => openChecked(path))
  let writing: { readonly db: Connection, readonly place: ReturnType<typeof lockForWriting> } | undefined
  return {
    ...options,
    reading,
    writable () {
      writing ??= openInPlace(path, dataDir)
      return writing.db
    },
    close () {
      reading.close()
      if (writing === undefined) return
      closeAfterWriting(writing.db)
      writing.place.release()
      writing = undefined
    }
  }
}

function fileIn (dataDir: string): string | undefined {
  try {
    return identityOf(databasePath(dataDir))
  } catch {
    // Opening the file reports the reason.
    return undefined
  }
}

/** Checks that the database exists. A folder that this user may not enter is usually the right one, so that error gets other advice. */
export function checkThere (path: string, dataDir: string): void {
  try {
    statSync(path)
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new StoreError('NO_STORE', `There is no tierhook.db in ${dataDir}: name the right data folder with --data-dir or DATA_DIR, or start the service there first`, error)
    }
    throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be reached (${code}): run as the user that the service runs as`, error)
  }
}

function openInPlace (path: string, dataDir: string): { readonly db: Connection, readonly place: ReturnType<typeof lockForWriting> } {
  const place = lockForWriting(dataDir)
  try {
    return { db: openForWriting(path), place }
  } catch (error) {
    place.release()
    throw error
  }
}

function openChecked (path: string): Connection {
  const db = openReadOnly(path)
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
