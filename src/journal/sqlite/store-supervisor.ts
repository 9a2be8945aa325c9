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

/** Starts the store where a slow disk holds up nothing but itself. */
export type StartStore = (hooks: StoreHooks) => Thread<StoreApi>

export const startStoreThread: StartStore = (hooks) => startThread('../journal/sqlite/store-thread', hooks)

export interface StoreSupervisorOptions {
  readonly path: string
  readonly dedupeWindowMs: number
  readonly start: StartStore
  readonly logger: Logger
  readonly clock: Clock
  /** Aborts when the journal stops: nothing is opened or mended any more. */
  readonly signal: AbortSignal
  /** Whether the journal is open. Before that, what fails is dealt with by whoever opens it. */
  readonly isOpen: () => boolean
  /** The greatest sequence that anybody was told of: what is stored after a salvage gets greater ones. */
  readonly visible: () => number
  /** Resolves once no other connection of this process to the database is open. */
  readonly letGoElsewhere: () => Promise<void>
  readonly onCommit: (commit: EndedCommit) => void
  /** The database can't be used, for this reason, until `onAvailable`. */
  readonly onUnavailable: (error: unknown) => void
  readonly onAvailable: () => void
  /** Told of what can only be a defect of ours. */
  readonly onDefect: (error: unknown) => void
}

/** Keeps the thread that writes the database. One that fails is started anew, and what is met damaged is mended. */
export interface StoreSupervisor {
  readonly thread: () => Thread<StoreApi>
  readonly store: () => Remote<StoreApi>
  readonly open: (withdrawn: readonly string[]) => Promise<OpenedWriter>
  /** Mends the database, unless that was just done. What waits in memory goes on where it was: sequences stay what they are. */
  readonly startSalvage: (error: unknown) => void
  /** Passes on what comes of a call to the store; where it met damage, that is mended before the next. */
  readonly watched: <T>(call: Promise<T>) => Promise<T>
  /** Waits for the thread, for `timeoutMs` at most. Returns whether it has ended. */
  readonly close: (timeoutMs: number) => Promise<boolean>
}

const SALVAGE_EVERY_MS = 60_000
/** How soon it is tried again to open what does not open, in milliseconds. */
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

  /** A thread may run out of memory, say. Its successor opens the database anew, and what was under way has been refused. */
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
    // A connection that is closed later would take the log that is there then for its own; and a salvage reads the file beside SQLite.
    await options.letGoElsewhere()
    // What was withdrawn since the start is known to those who append, and comes to the store before anything else.
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

  /** Not again at once: a disk that damages what was just written anew would be filled with what is set aside. */
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

/** Tells a person what became of a damaged database, and what is lost. */
function reportSalvaged (logger: Logger, salvaged: Salvaged | undefined): void {
  if (salvaged === undefined) return
  const { lost, lostSequences, damagedFile, damagedPages, kept, forwardersLost, ms } = salvaged
  logger.warn({ path: damagedFile, kept, damagedPages, ms }, 'damaged database set aside, and its records taken over into a new one')
  if (lost > 0) logger.error({ path: damagedFile, lost, sequences: lostSequences }, 'records lost to damage')
  if (forwardersLost) logger.error({ path: damagedFile }, 'forwarders lost to damage: those that are not known any more begin with the oldest delivery')
}
