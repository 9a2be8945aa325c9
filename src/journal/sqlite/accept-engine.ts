import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import type { EndedCommit } from '../../delivery/observation.js'
import { storageFields } from '../../errors/storage-cause.js'
import type { Thread } from '../../threads/thread.js'
import { toThreadError } from '../../threads/thread-error.js'
import type { AcceptEngine, AcceptEvents } from '../engine.js'
import { repeat } from '../upkeep.js'
import { createCheckpoints } from './checkpoints.js'
import { explainForbidden, lockDataFolder, makeDataFolder } from './data-lock.js'
import { codeOf, databasePath, isDamage } from './database.js'
import { createLogWatch } from './log-watch.js'
import { FILES_REPLACED } from './open-files.js'
import { packAppends } from './packed-appends.js'
import { type StartStore, startStoreThread, superviseStore } from './store-supervisor.js'
import type { StoreApi } from './store.js'
import { createWithdrawals } from './withdrawals.js'

/** The readers of the database in this process, as the accepting side sees them. */
export interface Readers {
  /** The database can be used, for the first time or again. Deliveries after `visible` must not be read yet. */
  readonly storeOpened: (opened: { readonly path: string, readonly store: Thread<StoreApi>, readonly visible: number }) => void
  /** Deliveries up to this sequence may be read. */
  readonly setVisible: (sequence: number) => void
  /** Copies the write-ahead log into the database. */
  readonly checkpoint: () => Promise<void>
  /** Resolves when no connection of this process to the database is open, except the store thread's. */
  readonly closeDatabase: () => Promise<void>
}

export interface SqliteAcceptOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly dedupeWindowMs: number
  readonly readers: Readers
  readonly startStore?: StartStore
}

export interface SqliteAcceptEngine extends AcceptEngine {
  /** Reports that a reader has met a damaged page. */
  readonly damaged: (error: unknown) => void
}

/** How often to check that the open files are still those in the data folder, in milliseconds. */
const CHECK_FILES_MS = 1000

/** Creates an engine that stores in a SQLite database in the data folder. Of this process, only the store thread writes to it. */
export function createSqliteAcceptEngine (options: SqliteAcceptOptions): SqliteAcceptEngine {
  const { dataDir, logger, clock, dedupeWindowMs, readers } = options
  const path = databasePath(dataDir)
  const withdrawals = createWithdrawals(dataDir, (error) => { logger.error({ err: error, ...storageFields(error) }, 'withdrawal not recorded') })
  const logWatch = createLogWatch(path, logger)
  const stop = new AbortController()
  let events: AcceptEvents
  let lock: ReturnType<typeof lockDataFolder> | undefined
  let visible = 0
  let opened = false
  let begun = false
  let replaced = false
  const supervisor = superviseStore({
    path,
    dedupeWindowMs,
    start: options.startStore ?? startStoreThread,
    logger,
    clock,
    signal: stop.signal,
    isOpen: () => opened,
    visible: () => visible,
    closeReaders: readers.closeDatabase,
    onCommit: committed,
    onUnavailable: (error) => { events.onUnavailable(error) },
    onAvailable () {
      notifyReaders()
      events.onAvailable()
    },
    onDefect: defect
  })
  const { watched } = supervisor
  // The error of a checkpoint may be ignored: commits report a disk that fails, and copy what the checkpoint left.
  const checkpoints = createCheckpoints(async () => { await readers.checkpoint().catch(() => undefined) }, defect)

  function defect (error: unknown): void {
    events.onDefect(error)
  }

  function notifyReaders (): void {
    readers.storeOpened({ path, store: supervisor.thread(), visible })
  }

  /** Logs one line, however often replaced files are found. Commits and probes find them; if there are none, a regular check does. */
  function logReplaced (error: unknown): void {
    if (codeOf(error) !== FILES_REPLACED || replaced) return
    replaced = true
    logger.fatal({ err: error }, 'data folder replaced')
  }

  async function checkFiles (): Promise<void> {
    try {
      await supervisor.store().checkFiles()
      replaced = false
    } catch (error) {
      logReplaced(error)
    }
    await logWatch.look()
  }

  function committed ({ error, progressError, ...facts }: EndedCommit): void {
    if (error !== undefined) logReplaced(error)
    if (isDamage(progressError)) supervisor.startSalvage(toError(progressError))
    events.onCommit({ ...facts, error: toError(error), progressError: toError(progressError) })
  }

  return {
    listen (given, stopping) {
      events = given
      stopping.addEventListener('abort', () => { stop.abort() })
    },

    async open () {
      await makeDataFolder(dataDir)
      lock ??= lockDataFolder(dataDir)
      begun = true
      const state = await supervisor.open(await withdrawals.read())
      await withdrawals.clear()
      visible = state.lastSequence
      opened = true
      repeat(CHECK_FILES_MS, checkFiles, { logger, signal: stop.signal })
      // Forwarders that wait for the store register now, so that their calls reach it before the first commit.
      notifyReaders()
      return state
    },

    explain: (error) => explainForbidden(error, dataDir),
    // The store collects appends during a commit.
    appendsAtOnce: Infinity,

    async append (deliveries) {
      const packed = packAppends(deliveries)
      const { results, keysDamaged } = await watched(supervisor.store().append(packed, [packed.bodies]))
      checkpoints.logged(deliveries.map(({ rawBody }) => rawBody.byteLength))
      if (keysDamaged) supervisor.startSalvage(new Error('Deduplication keys cannot be read'))
      return results
    },

    mayBeStored: mayBeOnDisk,
    withdraw: async (ids) => { await watched(supervisor.store().withdraw(ids)) },
    recordWithdrawals: withdrawals.record,
    clearWithdrawals: () => { withdrawals.clear().catch(defect) },

    setVisible (sequence) {
      visible = Math.max(visible, sequence)
      readers.setVisible(visible)
    },

    async probe () {
      try {
        await watched(supervisor.store().probe())
      } catch (error) {
        logReplaced(error)
        throw error
      }
    },

    prune: async (step) => await watched(supervisor.store().prune(step)),
    damaged: supervisor.startSalvage,

    async close (timeoutMs) {
      // A thread that still waits for the disk may yet write. Then the data folder stays locked until the process ends.
      const ended = await supervisor.close(timeoutMs)
      if (ended) lock?.release()
      return ended || !begun
    }
  }
}

/** Makes an error from the fields that the store thread sends. Returns anything else unchanged. */
function toError (error: unknown): unknown {
  if (error instanceof Error || typeof error !== 'object' || error === null || !('message' in error)) return error
  return toThreadError({ path: undefined, ...error, message: String(error.message), code: codeOf(error) })
}

/** With these errors, SQLite is sure that nothing of the transaction was committed (https://sqlite.org/rescode.html). */
const NOT_COMMITTED = ['SQLITE_FULL', 'SQLITE_READONLY', 'SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_CANTOPEN', 'SQLITE_CONSTRAINT', FILES_REPLACED]

/** Whether a failed commit may still have left its content on disk. An error of the device leaves that open. */
export function mayBeOnDisk (error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return !NOT_COMMITTED.some((safe) => code === safe || code.startsWith(`${safe}_`))
}
