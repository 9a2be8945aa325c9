import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import type { EndedCommit } from '../../delivery/observation.js'
import { storageFields } from '../../errors/storage-cause.js'
import { damageError, isDamage } from './database.js'
import type { OpenedWriter } from './protocol.js'
import type { Salvaged } from './salvage/salvage.js'
import type { StoreApi } from './store.js'
import type { Remote } from '../../threads/remote.js'
import { startThread, type Thread, type ThreadHooks } from '../../threads/thread.js'
import { pause } from '../../delivery/within.js'

export interface StoreHooks extends ThreadHooks {
  readonly onEvent: (commit: EndedCommit) => void
}

/** Starts the store in a thread, so that a slow disk delays nothing else. */
export type StartStore = (hooks: StoreHooks) => Thread<StoreApi>

export const startStoreThread: StartStore = (hooks) => startThread('../journal/sqlite/store-thread', hooks)

export interface StoreSupervisorOptions {
  readonly path: string
  readonly dedupeWindowMs: number
  readonly start: StartStore
  readonly logger: Logger
  readonly clock: Clock
  /** Aborts when the journal stops. After that, nothing is reopened or salvaged. */
  readonly signal: AbortSignal
  /** Whether the journal is open. Before that, the caller of `open` handles failures. */
  readonly isOpen: () => boolean
  /** The greatest sequence that readers were told of. Deliveries stored after a salvage get greater ones. */
  readonly visible: () => number
  /** Resolves when no other connection of this process to the database is open. */
  readonly closeReaders: () => Promise<void>
  readonly onCommit: (commit: EndedCommit) => void
  /** The database cannot be used, because of this error, until `onAvailable` is called. */
  readonly onUnavailable: (error: unknown) => void
  readonly onAvailable: () => void
  /** Called with errors that can only be defects of tierhook. */
  readonly onDefect: (error: unknown) => void
}

/** Runs the store thread. Restarts it when it fails, and has a damaged database salvaged. */
export interface StoreSupervisor {
  readonly thread: () => Thread<StoreApi>
  readonly store: () => Remote<StoreApi>
  readonly open: (withdrawn: readonly string[]) => Promise<OpenedWriter>
  /** Salvages the database, unless that was just done. Sequences do not change, so entries in memory stay valid. */
  readonly startSalvage: (error: unknown) => void
  /** Passes on the result of a call to the store. If the call met damage, starts a salvage. */
  readonly watched: <T>(call: Promise<T>) => Promise<T>
  /** Waits at most `timeoutMs` for the thread. Resolves with whether it has ended. */
  readonly close: (timeoutMs: number) => Promise<boolean>
}

const SALVAGE_EVERY_MS = 60_000
/** How soon opening is tried again after a failure, in milliseconds. */
export const REOPEN_MS = 1000

export function superviseStore (options: StoreSupervisorOptions): StoreSupervisor {
  const { path, dedupeWindowMs, logger, clock, signal, onDefect } = options
  let thread = start()
  let reopening = false
  let nextSalvageAt = -Infinity

  function start (): Thread<StoreApi> {
    return options.start({
      onEvent: options.onCommit,
      onFailure (error) {
        thread = start()
        threadFailed(error)
      }
    })
  }

  /** A thread may run out of memory, for example. The new thread opens the database again. Calls in progress were rejected. */
  function threadFailed (error: Error): void {
    logger.error({ err: error }, 'journal thread failed')
    if (!options.isOpen() || reopening) return
    reopening = true
    options.onUnavailable(error)
    reopen().catch(onDefect)
  }

  async function reopen (): Promise<void> {
    while (!signal.aborted) {
      await pause(REOPEN_MS, signal)
      try {
        await openAgain({ damaged: false })
        return
      } catch (error) {
        options.onUnavailable(error)
        logger.error({ err: error, ...storageFields(error) }, 'journal cannot open')
      }
    }
  }

  async function openAgain ({ damaged }: { readonly damaged: boolean }): Promise<void> {
    // A connection that is closed after the salvage would take the new database's log for its own. A salvage also reads the file without SQLite.
    await options.closeReaders()
    // The accepting side knows the deliveries withdrawn since the start, and sends them to the store when it is available again.
    const { salvaged } = await thread.remote.open({ path, dedupeWindowMs, withdrawn: [], damaged, reopened: true, above: options.visible() })
    reportSalvaged(logger, salvaged)
    reopening = false
    options.onAvailable()
  }

  async function salvageNow (): Promise<void> {
    try {
      await openAgain({ damaged: true })
    } catch (error) {
      options.onUnavailable(error)
      logger.error({ err: error, ...storageFields(error) }, 'damaged database cannot be salvaged')
      await reopen()
    }
  }

  /** Salvages at most once a minute: a disk that damages new data would otherwise be filled with the files set aside. */
  function startSalvage (error: unknown): void {
    if (!options.isOpen() || reopening || signal.aborted || clock.monotonic() < nextSalvageAt) return
    nextSalvageAt = clock.monotonic() + SALVAGE_EVERY_MS
    reopening = true
    logger.error({ err: error }, 'database damaged')
    options.onUnavailable(damageError('it is being mended'))
    salvageNow().catch(onDefect)
  }

  return {
    thread: () => thread,
    store: () => thread.remote,
    startSalvage,

    async open (withdrawn) {
      const state = await thread.remote.open({ path, dedupeWindowMs, withdrawn })
      reportSalvaged(logger, state.salvaged)
      return state
    },

    async watched (call) {
      try {
        return await call
      } catch (error) {
        if (isDamage(error)) startSalvage(error)
        throw error
      }
    },

    close: async (timeoutMs) => await thread.close(timeoutMs)
  }
}

/** Logs what was salvaged from a damaged database, and what is lost. */
function reportSalvaged (logger: Logger, salvaged: Salvaged | undefined): void {
  if (salvaged === undefined) return
  const { lost, lostSequences, damagedFile, damagedPages, kept, forwardersLost, ms } = salvaged
  logger.warn({ path: damagedFile, kept, damagedPages, ms }, 'damaged database set aside, and its records taken over into a new one')
  if (lost > 0) logger.error({ path: damagedFile, lost, sequences: lostSequences }, 'records lost to damage')
  if (forwardersLost) logger.error({ path: damagedFile }, 'forwarders lost to damage: those that are not known any more begin with the oldest delivery')
}
