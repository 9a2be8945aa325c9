import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import { damageError, isDamage } from './database.js'
import type { OpenedWriter, WriterApi } from './protocol.js'
import type { ReaderApi } from './reader.js'
import { reportSalvaged } from './report-salvaged.js'
import { startThread, type Remote, type Thread } from './thread.js'
import { pause } from './upkeep.js'

/** How the two sides of the journal are started, each where a slow disk holds up nothing but itself. */
export interface JournalThreads {
  readonly startWriter: (onFailure: (error: Error) => void) => Thread<WriterApi>
  readonly startReader: (onFailure: (error: Error) => void) => Thread<ReaderApi>
}

const workerThreads: JournalThreads = {
  // Beside the composition root, because an event's text is found by what the journal does not know.
  startWriter: (onFailure) => startThread('../../writer-thread', onFailure),
  startReader: (onFailure) => startThread('reader-thread', onFailure)
}

export interface StoreThreadsOptions {
  readonly path: string
  readonly dedupeWindowMs: number
  readonly threads?: JournalThreads | undefined
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
  /** The database can't be used, for this reason, until `onAvailable`. */
  readonly onUnavailable: (error: unknown) => void
  readonly onAvailable: () => void
  /** Told of what can only be a defect of ours. */
  readonly onDefect: (error: unknown) => void
}

/** The threads that write and read the database. One that fails is started anew, and what it met damaged is mended. */
export interface StoreThreads {
  readonly writer: () => Remote<WriterApi>
  readonly reader: () => Remote<ReaderApi>
  /** Opens the database in both. */
  readonly open: (withdrawn: readonly string[]) => Promise<OpenedWriter>
  /** Whether the database is being opened anew or mended. */
  readonly isReopening: () => boolean
  /** Mends the database, unless that was just done. What waits in memory goes on where it was: sequences stay what they are. */
  readonly startSalvage: (error: unknown) => void
  /** Passes on what comes of a call to a thread; where it met damage, that is mended before the next. */
  readonly watched: <T>(call: Promise<T>) => Promise<T>
  /** Waits for each thread, for `timeoutMs` at most. Returns whether both have ended. */
  readonly close: (timeoutMs: number) => Promise<boolean>
}

const SALVAGE_EVERY_MS = 60_000
/** How soon it is tried again to open what does not open, in milliseconds. */
export const REOPEN_MS = 1000

export function createStoreThreads (options: StoreThreadsOptions): StoreThreads {
  const { path, dedupeWindowMs, threads = workerThreads, logger, clock, signal, onDefect } = options
  let writer = startWriter()
  let reader = startReader()
  let reopening = false
  let nextSalvageAt = -Infinity

  function startWriter (): Thread<WriterApi> {
    return threads.startWriter((error) => {
      writer = startWriter()
      threadFailed(error)
    })
  }

  function startReader (): Thread<ReaderApi> {
    return threads.startReader((error) => {
      reader = startReader()
      threadFailed(error)
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
        logger.error({ err: error }, 'journal cannot open')
      }
    }
  }

  async function openAgain ({ damaged }: { readonly damaged: boolean }): Promise<void> {
    // A connection that is closed later would take the log that is there then for its own; and a salvage reads the file beside SQLite.
    await Promise.all([reader.remote.letGo(), options.letGoElsewhere()])
    // What was withdrawn since the start is known to the commits, which come to it before anything else.
    const { salvaged } = await writer.remote.open({ path, dedupeWindowMs, withdrawn: [], damaged, reopened: true, above: options.visible() })
    reportSalvaged(logger, salvaged)
    await reader.remote.open({ path })
    reopening = false
    options.onAvailable()
  }

  async function salvageNow (): Promise<void> {
    try {
      await openAgain({ damaged: true })
    } catch (error) {
      logger.error({ err: error }, 'damaged database cannot be salvaged')
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
    writer: () => writer.remote,
    reader: () => reader.remote,
    isReopening: () => reopening,
    startSalvage,

    async open (withdrawn) {
      const state = await writer.remote.open({ path, dedupeWindowMs, withdrawn })
      reportSalvaged(logger, state.salvaged)
      await reader.remote.open({ path })
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

    async close (timeoutMs) {
      // The writer last: it leaves all in the database, and nothing in the log.
      const until = clock.monotonic() + timeoutMs
      const readerEnded = await reader.close(timeoutMs)
      return await writer.close(Math.max(0, until - clock.monotonic())) && readerEnded
    }
  }
}
