import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import type { FeedOptions, Journal } from '../../delivery/journal.js'
import type { EndedCommit } from '../../delivery/observation.js'
import { createSteadyClock } from '../../delivery/steady-clock.js'
import { createFeed, type JournalFeed } from '../feed.js'
import type { FeedStore, Progress } from '../feed-store.js'
import { BATCH_DELIVERIES } from './append-queue.js'
import { createCheckpoints } from './checkpoints.js'
import { isPassing, reasonOf } from './commit-failure.js'
import { codeOf, databasePath, isDamage } from './database.js'
import { lockDataFolder, makeDataFolder } from './data-lock.js'
import { createGroupCommit, EARLY_APPENDS } from './group-commit.js'
import { FILES_REPLACED } from './open-files.js'
import { packAppends } from './packed-appends.js'
import { packProgress } from './packed-progress.js'
import { createRecent, type Recent } from './recent.js'
import { createStoreReads } from './store-reads.js'
import { createStoreThreads, REOPEN_MS, type JournalThreads } from './store-threads.js'
import { ThreadError } from './thread.js'
import { pause, startUpkeep, type Retention } from './upkeep.js'
import { createWithdrawals } from './withdrawals.js'

export interface SqliteJournalOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly dedupeWindowMs: number
  readonly retention: Retention
  /** Told how many went out of quarantine because its share of the store was full. */
  readonly onEvicted?: (count: number) => void
  /** How long an append may take before it is refused, in milliseconds. */
  readonly storeTimeoutMs?: number
  readonly onCommit?: (commit: EndedCommit) => void
  readonly threads?: JournalThreads
  /** Resolves once no other connection of this process to the database is open. A salvage waits for it. */
  readonly letGoElsewhere?: () => Promise<void>
}

export interface SqliteJournal extends Journal {
  /**
   * Resolves once the journal is open, or it is known that the disk does not let it open for now: then appends are refused, and
   * it is tried again until it does.
   * @throws {DataFolderInUseError}
   * @throws {ThreadError} WRONG_DATABASE
   */
  readonly start: () => Promise<void>
  readonly isOpen: () => boolean
  /** Really commits something, and so syncs; resolves with why that can't be, or `undefined`. It takes as long as the disk does. */
  readonly probe: () => Promise<string | undefined>
}

/** The sender waits 10 s, and is to hear from us within 5. */
const STORE_TIMEOUT_MS = 4000
const WITHDRAW_TIMEOUT_MS = 500
/**
 * How many deliveries are kept in memory for a feed that has yet to read them. One that is farther behind reads them from the disk: while
 * a destination hangs, what was kept for it and copied by the collections of garbage made every webhook's answer later. Of many that
 * come at once, these two commits may be through before a feed has its turn.
 */
const KEPT_FOR_FEED = EARLY_APPENDS + BATCH_DELIVERIES
/** How long closing waits for a disk that does not answer, for its commits and for its threads. */
const CLOSE_TIMEOUT_MS = 1500

/** The journal on an SQLite database in the data folder. */
export function createSqliteJournal (options: SqliteJournalOptions): SqliteJournal {
  const { dataDir, logger, clock, dedupeWindowMs, retention } = options
  const withdrawals = createWithdrawals(dataDir, (error) => { logger.error({ err: error }, 'withdrawal not recorded') })
  const feeds = new Map<string, JournalFeed>()
  const stop = new AbortController()
  let recent: Recent = createRecent(Infinity)
  let visible = 0
  let lastReplay = 0
  let lock: ReturnType<typeof lockDataFolder> | undefined
  let closing: Promise<void> | undefined
  let failure: string | undefined
  let replaced = false
  let markOpen = (): void => {}
  const firstOpen = new Promise<void>((resolve) => { markOpen = resolve })
  let opened = false
  const threads = createStoreThreads({
    path: databasePath(dataDir),
    dedupeWindowMs,
    threads: options.threads,
    logger,
    clock,
    signal: stop.signal,
    isOpen: () => opened,
    visible: () => visible,
    letGoElsewhere: options.letGoElsewhere ?? (async () => {}),
    onUnavailable: (error) => { commits.setUnavailable(error) },
    onAvailable: () => { commits.open() },
    onDefect: defect
  })
  const { watched } = threads
  // A disk that fails is told of by the commits, which copy what is left.
  const checkpoints = createCheckpoints(async () => { await watched(threads.reader().checkpoint()).catch(() => undefined) }, defect)

  const commits = createGroupCommit({
    async commit ({ withdraw, progress, appends }) {
      const packed = packAppends(appends)
      const result = await watched(threads.writer().commit({ withdraw, progress: progress.map(packProgress), appends: packed }, [packed.bodies]))
      checkpoints.logged(appends.map(({ rawBody }) => rawBody.byteLength))
      if (result.keysDamaged) threads.startSalvage(new Error('Deduplication keys cannot be read'))
      else if (isDamage(result.progressError)) threads.startSalvage(new ThreadError(result.progressError?.message ?? '', result.progressError?.code))
      return result
    },
    recordWithdrawals: withdrawals.record,
    clearWithdrawals: () => { withdrawals.clear().catch(defect) },
    onStored: (stored) => { for (const delivery of stored) recent.add(delivery) },
    onVisible: (sequence) => {
      if (sequence > visible) {
        const before = visible
        visible = sequence
        for (const feed of feeds.values()) feed.wake()
        recent.release(readByAll(before))
      }
      // What was withdrawn has taken its marks with it by now.
      if (reads.takeHeldBack()) wakeReplays()
    },
    onDefect: defect,
    onCommit: committed,
    monotonic: clock.monotonic,
    storeTimeoutMs: options.storeTimeoutMs ?? STORE_TIMEOUT_MS,
    withdrawTimeoutMs: WITHDRAW_TIMEOUT_MS
  })

  /** Up to where all have read that were not far behind `last`. */
  function readByAll (last: number): number {
    const readUpTo = [...feeds.values()].map((feed) => feed.readUpTo()).filter((upTo) => last - upTo <= KEPT_FOR_FEED)
    return Math.min(visible, ...readUpTo)
  }

  function wakeReplays (): void {
    for (const feed of feeds.values()) feed.wakeReplays()
  }

  function defect (error: unknown): void {
    logger.fatal({ err: error }, 'journal failed')
  }

  /** One line, however often it is found. Commits and probes find it, and the upkeep where neither comes. */
  function tellReplaced (error: unknown): void {
    if (codeOf(error) !== FILES_REPLACED || replaced) return
    replaced = true
    logger.fatal({ err: error }, 'data folder replaced')
  }

  async function checkFiles (): Promise<void> {
    try {
      await threads.writer().checkFiles()
      replaced = false
    } catch (error) {
      tellReplaced(error)
    }
  }

  /** One line when it begins to fail and one when it ends, however often it is tried in between. */
  function committed (facts: EndedCommit): void {
    if (facts.error !== undefined) tellReplaced(facts.error)
    const now = facts.error !== undefined ? 'journal cannot commit' : facts.progressError !== undefined ? 'journal cannot store progress' : undefined
    if (now !== undefined && now !== failure) logger.error({ err: facts.error ?? facts.progressError }, now)
    if (now === undefined && failure !== undefined) logger.info('journal commits again')
    failure = now
    options.onCommit?.(facts)
  }

  async function open (): Promise<void> {
    await makeDataFolder(dataDir)
    lock ??= lockDataFolder(dataDir)
    const state = await threads.open(await withdrawals.read())
    await withdrawals.clear()
    recent = createRecent(state.lastSequence)
    visible = state.lastSequence
    lastReplay = state.lastReplay
    opened = true
    // Feeds that wait for this are registered first: their calls go to the thread before the first commit does.
    markOpen()
    commits.open()
    startUpkeep({
      now: clock.now,
      isClockSteady: createSteadyClock({
        clock,
        lastReceivedAt: state.lastReceivedAt,
        onStep: (byMs) => { logger.warn({ byMs: Math.round(byMs) }, 'clock set: nothing is deleted by its age for a day') }
      }),
      logger,
      dedupeWindowMs,
      retention,
      onEvicted: options.onEvicted,
      signal: stop.signal,
      lookForReplays,
      checkFiles,
      prune: async (step) => await watched(threads.writer().prune(step))
    })
  }

  async function openLater (): Promise<void> {
    while (!opened && !stop.signal.aborted) {
      await pause(REOPEN_MS, stop.signal)
      if (stop.signal.aborted) return
      try {
        await open()
        logger.info('journal open')
      } catch (error) {
        commits.setUnavailable(error)
        if (!isPassing(error)) throw error
      }
    }
  }

  /** Another process, a command, may have asked for replays. */
  async function lookForReplays (): Promise<void> {
    const last = await watched(threads.reader().lastReplay())
    if (last === lastReplay) return
    lastReplay = last
    wakeReplays()
  }

  const reads = createStoreReads({ threads, logger, clock, recent: () => recent, visible: () => visible })
  const store: FeedStore = { ...reads, commit: commits.save, monotonic: clock.monotonic }

  /** "Now" is when it was asked for: however long the disk takes, nothing that was accepted since is missed. */
  async function register ({ forwarder, start, filter }: FeedOptions): Promise<Progress> {
    const cursor = start === 'now' ? visible : 0
    for (let attempt = 1; ; attempt++) {
      try {
        return await watched(threads.writer().registerFeed({ forwarder, cursor, filter }))
      } catch (error) {
        if ((!isPassing(error) && !isDamage(error)) || stop.signal.aborted) throw error
        if (attempt === 1) logger.error({ err: error, forwarder }, 'forwarder cannot be registered')
        await pause(REOPEN_MS, stop.signal)
      }
    }
  }

  return {
    async start () {
      try {
        await open()
      } catch (error) {
        if (!isPassing(error)) throw error
        logger.error({ err: error }, 'journal cannot open')
        commits.setUnavailable(error)
        openLater().catch(defect)
      }
    },

    isOpen: () => opened,

    async probe () {
      if (!opened || threads.isReopening()) return 'it is being opened'
      try {
        await watched(threads.writer().probe())
        return undefined
      } catch (error) {
        tellReplaced(error)
        return reasonOf(error)
      }
    },

    append: commits.append,

    async openFeed (feedOptions) {
      await firstOpen
      if (stop.signal.aborted) throw new Error('The journal is closed')
      const feed = createFeed(feedOptions, await register(feedOptions), store)
      feeds.set(feedOptions.forwarder, feed)
      return feed
    },

    async close () {
      closing ??= (async () => {
        stop.abort()
        await commits.close(CLOSE_TIMEOUT_MS)
        // A thread that still waits for the disk may yet write: then the folder stays ours until the process ends.
        if (await threads.close(CLOSE_TIMEOUT_MS)) lock?.release()
        else logger.error('journal closed while the disk does not answer')
        markOpen()
      })()
      await closing
    }
  }
}
