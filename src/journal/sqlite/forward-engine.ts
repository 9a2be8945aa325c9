import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import { storageCause, storageFields } from '../../errors/storage-cause.js'
import type { Remote } from '../../threads/remote.js'
import type { ForwardEngine, ForwardEvents, WaitingMark } from '../engine.js'
import { pause } from '../../delivery/within.js'
import { repeat } from '../upkeep.js'
import { isDamage } from './database.js'
import { createReader, type Reader, type ReadResult } from './reader.js'
import type { StoreApi } from './store.js'
import { REOPEN_MS } from './store-supervisor.js'

/** The store's calls that the forwarding side needs. */
export type ForwardStoreCalls = Pick<Remote<StoreApi>, 'save' | 'registerFeed' | 'shortenWaits' | 'setAside'>

export interface OpenedStore {
  readonly path: string
  readonly store: ForwardStoreCalls
  /** The greatest sequence that may be read. */
  readonly visible: number
}

export interface SqliteForwardOptions {
  readonly logger: Logger
  readonly clock: Clock
  /** Greater than the term of every earlier deliver thread. One thread leads all forwarders, for as long as it runs. */
  readonly term: number
  /** Called when a damaged page is met: the database must be salvaged. */
  readonly onDamage: (error: unknown) => void
  readonly reader?: Reader
}

/** Reads on a connection of its own, and saves progress through the store thread. */
export interface SqliteForwardEngine extends ForwardEngine {
  /** The database can be used, for the first time or again. */
  readonly storeOpened: (opened: OpenedStore) => void
  /** Deliveries up to this sequence may be read. */
  readonly setVisible: (sequence: number) => void
  /** Closes the connection, until `storeOpened`. */
  readonly closeDatabase: () => void
  readonly checkpoint: () => void
}

/** How often to look for replays that another process has asked for, in milliseconds. */
const REPLAY_POLL_MS = 1000
/** A wall clock that falls behind the monotonic clock by more than this was set back. By less, it only runs slow. In milliseconds. */
const CLOCK_STEP_MS = 500

export function createSqliteForwardEngine ({ logger, clock, term, onDamage, reader = createReader(clock.now) }: SqliteForwardOptions): SqliteForwardEngine {
  const stop = new AbortController()
  let events: ForwardEvents
  let store: ForwardStoreCalls | undefined
  let markOpen = (): void => {}
  const firstOpen = new Promise<void>((resolve) => { markOpen = resolve })
  let visible = 0
  let lastReplay: number | undefined
  /** Whether reads have left out marks of deliveries that may still be withdrawn. */
  let heldBack = false
  let clockOffset = clock.now() - clock.monotonic()

  function used (): ForwardStoreCalls {
    if (store === undefined) throw new Error('The journal is not open')
    return store
  }

  function throwDamage (error: unknown): never {
    if (isDamage(error)) onDamage(error)
    throw error
  }

  /** Runs a read or a call to the store. Reports damage that it meets, and passes its result or error on. */
  async function watched<T> (work: () => T | Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      return throwDamage(error)
    }
  }

  function reportDamaged ({ damaged }: Pick<ReadResult, 'damaged'>): void {
    if (damaged.length === 0) return
    logger.error({ sequences: damaged }, 'damaged records set aside')
    used().setAside(damaged).catch((error: unknown) => { logger.warn({ err: error, sequences: damaged }, 'damaged records not marked') })
  }

  function isVisible ({ sequence }: WaitingMark): boolean {
    return sequence <= visible
  }

  /** Marks are due by the wall clock. If it was set back since the last check, they would be due too late, so their waits are shortened. */
  async function followClock (): Promise<void> {
    const offset = clock.now() - clock.monotonic()
    if (offset < clockOffset - CLOCK_STEP_MS) await watched(async () => { await used().shortenWaits() })
    clockOffset = offset
  }

  /** Looks for replays that another process, such as a command, has asked for. */
  async function lookForReplays (): Promise<void> {
    if (store === undefined) return
    const last = await watched(reader.lastReplay).catch((error: unknown) => {
      logger.error({ err: error }, 'replays not looked for')
      return lastReplay
    })
    if (last === lastReplay) return
    lastReplay = last
    events.onReplays()
  }

  return {
    listen (given) { events = given },

    /** `now` is the time of the call. Deliveries accepted while registration waits for the disk are not missed. */
    async lead ({ forwarder, start, filter }) {
      await firstOpen
      const cursor = start === 'now' ? visible : 0
      for (let attempt = 1; ; attempt++) {
        if (stop.signal.aborted) throw new Error('The journal is closed')
        try {
          return await watched(async () => await used().registerFeed({ forwarder, term, cursor, filter }))
        } catch (error) {
          if (storageCause(error) === undefined || stop.signal.aborted) throw error
          if (attempt === 1) logger.error({ err: error, ...storageFields(error), forwarder }, 'forwarder cannot be registered')
          await pause(REOPEN_MS, stop.signal)
        }
      }
    },

    // No other process waits to lead: the next term begins with the next deliver thread.
    async giveUp () {},

    async save (progress) {
      const result = await watched(async () => await used().save(progress))
      return progress.map(() => result)
    },

    readAfter (after, limit, limitBytes) {
      try {
        const result = reader.readAfter({ after, visible, limit, limitBytes })
        reportDamaged(result)
        return result
      } catch (error) {
        return throwDamage(error)
      }
    },

    readMany: async (sequences) => await watched(() => {
      const result = reader.readMany(sequences)
      reportDamaged(result)
      return new Map(result.deliveries.map((delivery) => [delivery.sequence, delivery]))
    }),

    async readDue (forwarder, kind, options) {
      await followClock()
      return await watched(() => {
        const { heldBack: isHeldBack, ...due } = reader.readDue(forwarder, kind, { ...options, visible })
        heldBack ||= isHeldBack
        return due
      })
    },

    readLanes: async (...request) => await watched(() => reader.readLanes(...request).filter(isVisible)),

    readMarks: async (...request) => await watched(() => {
      const marks = reader.readMarks(...request)
      const end = marks.findIndex((mark) => !isVisible(mark))
      if (end === -1) return marks
      heldBack = true
      return marks.slice(0, end)
    }),

    unfinished: async (forwarder, ids) => await watched(() => reader.unfinished(forwarder, ids)),

    storeOpened (opened) {
      reader.open(opened.path)
      store = opened.store
      visible = Math.max(visible, opened.visible)
      events.onAvailable()
      if (lastReplay !== undefined) return
      lastReplay = reader.lastReplay()
      markOpen()
      repeat(REPLAY_POLL_MS, lookForReplays, { logger, signal: stop.signal })
    },

    setVisible (sequence) {
      if (sequence > visible) {
        visible = sequence
        events.onMore()
      }
      // Withdrawn deliveries have been removed together with their marks by now, so the others can be read.
      if (heldBack) {
        heldBack = false
        events.onReplays()
      }
    },

    closeDatabase () {
      store = undefined
      reader.close()
    },

    checkpoint () {
      // Commits report a disk that fails, and copy what is left. The reader may also be closed already.
      watched(reader.checkpoint).catch(() => undefined)
    },

    close () {
      stop.abort()
      markOpen()
      reader.close()
    }
  }
}
