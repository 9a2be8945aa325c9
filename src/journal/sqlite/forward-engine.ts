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

/** What those who forward need of the store. */
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
  /** Greater than that of all who have forwarded before: there is one leader of all forwarders, and it leads as long as it runs. */
  readonly term: number
  /** Told of a damaged page, once it is met: the database must be mended. */
  readonly onDamage: (error: unknown) => void
  readonly reader?: Reader
}

/** Reads on a connection of its own, and saves through the store. */
export interface SqliteForwardEngine extends ForwardEngine {
  /** The database can be used, for the first time or again. */
  readonly storeOpened: (opened: OpenedStore) => void
  /** Deliveries up to this sequence may be read. */
  readonly setVisible: (sequence: number) => void
  /** Closes the connection, until `storeOpened`. */
  readonly letGo: () => void
  readonly checkpoint: () => void
}

/** How often it is looked for replays that another process has asked for, in milliseconds. */
const REPLAY_POLL_MS = 1000
/** A clock that was set back by more than this was set, and does not just go slow, in milliseconds. */
const CLOCK_STEP_MS = 500

export function createSqliteForwardEngine ({ logger, clock, term, onDamage, reader = createReader(clock.now) }: SqliteForwardOptions): SqliteForwardEngine {
  const stop = new AbortController()
  let events: ForwardEvents
  let store: ForwardStoreCalls | undefined
  let markOpen = (): void => {}
  const firstOpen = new Promise<void>((resolve) => { markOpen = resolve })
  let visible = 0
  let lastReplay: number | undefined
  /** Whether there are marks of what may yet be withdrawn. */
  let heldBack = false
  let clockOffset = clock.now() - clock.monotonic()

  function used (): ForwardStoreCalls {
    if (store === undefined) throw new Error('The journal is not open')
    return store
  }

  function tellDamage (error: unknown): never {
    if (isDamage(error)) onDamage(error)
    throw error
  }

  /** Passes on what comes of reading or of a call to the store; where it met damage, that is told. */
  async function watched<T> (work: () => T | Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      return tellDamage(error)
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

  /** Marks have their times by the clock on the wall. Where it was set back since it was looked at last, theirs would be too late. */
  async function followClock (): Promise<void> {
    const offset = clock.now() - clock.monotonic()
    if (offset < clockOffset - CLOCK_STEP_MS) await watched(async () => { await used().shortenWaits() })
    clockOffset = offset
  }

  /** Another process, a command, may have asked for replays. */
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

    /** "Now" is when it was asked for: however long the disk takes, nothing that was accepted since is missed. */
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

    // Nobody else waits for it: the next term begins with the next thread.
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
        return tellDamage(error)
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

    unfinished: async (forwarder, ids) => reader.unfinished(forwarder, ids),

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
      // What was withdrawn has taken its marks with it by now.
      if (heldBack) {
        heldBack = false
        events.onReplays()
      }
    },

    letGo () {
      store = undefined
      reader.close()
    },

    checkpoint () {
      // A disk that fails is told of by the commits, which copy what is left; and it may have been let go of.
      watched(reader.checkpoint).catch(() => undefined)
    },

    close () {
      stop.abort()
      markOpen()
      reader.close()
    }
  }
}
