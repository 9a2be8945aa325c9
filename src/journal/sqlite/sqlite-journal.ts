import { mkdir } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import type { NewDelivery } from '../../delivery/delivery.js'
import type { Journal } from '../../delivery/journal.js'
import { createFeed, type FeedStore, type JournalFeed } from '../feed.js'
import { databasePath } from './database.js'
import { lockDataFolder } from './data-lock.js'
import { createGroupCommit, type CommitFacts } from './group-commit.js'
import type { ReaderApi, ReadResult } from './reader.js'
import type { WriterApi } from './protocol.js'
import { createRecent, type Recent } from './recent.js'
import { startThread } from './thread.js'
import { createWithdrawals } from './withdrawals.js'

export interface SqliteJournalOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly dedupeWindowMs: number
  readonly retention: { readonly maxAgeMs: number, readonly maxBytes: number }
  /** How long an append may take before it is refused, in milliseconds. */
  readonly storeTimeoutMs?: number
  readonly onCommit?: (facts: CommitFacts) => void
}

export interface SqliteJournal extends Journal {
  /**
   * Resolves once the journal is ready. Where the disk does not let it open, appends are refused and it is tried again.
   * @throws {DataFolderInUseError}
   * @throws {WrongDatabaseError}
   */
  readonly start: () => Promise<void>
}

/** The sender waits 10 s, and is to hear from us within 5. */
const STORE_TIMEOUT_MS = 4000
const WITHDRAW_TIMEOUT_MS = 500
const REOPEN_MS = 1000
const REPLAY_POLL_MS = 1000
const PRUNE_EVERY_MS = 60_000
const PRUNE_STEP = 200
const PRUNE_PAUSE_MS = 50

/** The journal on an SQLite database in the data folder. */
export function createSqliteJournal (options: SqliteJournalOptions): SqliteJournal {
  const { dataDir, logger, clock, dedupeWindowMs, retention } = options
  const path = databasePath(dataDir)
  const writer = startThread<WriterApi>('writer-thread', threadFailed)
  const reader = startThread<ReaderApi>('reader-thread', threadFailed)
  const withdrawals = createWithdrawals(dataDir, (error) => { logger.error({ err: error }, 'withdrawal not recorded') })
  const feeds = new Map<string, JournalFeed>()
  const timers = new Set<NodeJS.Timeout>()
  let recent: Recent = createRecent(Infinity)
  let visible = 0
  let lastReplay = 0
  let lock: ReturnType<typeof lockDataFolder> | undefined
  let closing: Promise<void> | undefined
  let failing = false

  const commits = createGroupCommit({
    commit: async (batch) => await writer.remote.commit(batch),
    recordWithdrawals: withdrawals.record,
    clearWithdrawals: withdrawals.clear,
    onStored: (stored) => { for (const { sequence, delivery } of stored) recent.add({ ...delivery, sequence, duplicates: 0 }) },
    onVisible: (sequence) => {
      if (sequence <= visible) return
      visible = sequence
      for (const feed of feeds.values()) feed.wake()
    },
    onDefect: (error) => { logger.fatal({ err: error }, 'journal failed') },
    onCommit: committed,
    monotonic: clock.monotonic,
    storeTimeoutMs: options.storeTimeoutMs ?? STORE_TIMEOUT_MS,
    withdrawTimeoutMs: WITHDRAW_TIMEOUT_MS
  })

  function committed (facts: CommitFacts): void {
    if (facts.error !== undefined && !failing) logger.error({ err: facts.error }, 'journal cannot commit')
    if (facts.error === undefined && failing) logger.info('journal commits again')
    failing = facts.error !== undefined
    options.onCommit?.(facts)
  }

  function threadFailed (error: Error): void {
    logger.fatal({ err: error }, 'journal thread failed')
    commits.setUnavailable(error)
  }

  /** Repeats `work`, the next time only once the last is over, until the journal closes. */
  function repeat (everyMs: number, work: () => Promise<unknown>): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
        .catch((error: unknown) => { if (closing === undefined) logger.error({ err: error }, 'journal upkeep failed') })
        .finally(() => { if (closing === undefined) repeat(everyMs, work) })
    }, everyMs)
    timers.add(timer)
  }

  async function pause (ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, ms)
      timers.add(timer)
    })
  }

  async function open (): Promise<void> {
    await mkdir(dataDir, { recursive: true })
    lock ??= lockDataFolder(dataDir)
    const withdrawn = await withdrawals.read()
    const state = await writer.remote.open({ path, dedupeWindowMs, withdrawn })
    await withdrawals.clear()
    await reader.remote.open({ path })
    recent = createRecent(state.lastSequence)
    visible = state.lastSequence
    lastReplay = state.lastReplay
  }

  async function start (): Promise<void> {
    for (let attempt = 1; closing === undefined; attempt++) {
      try {
        await open()
        break
      } catch (error) {
        if (!isPassing(error)) throw error
        commits.setUnavailable(error)
        if (attempt === 1) logger.error({ err: error }, 'journal cannot open')
        await pause(REOPEN_MS)
      }
    }
    commits.open()
    repeat(REPLAY_POLL_MS, lookForReplays)
    repeat(PRUNE_EVERY_MS, prune)
  }

  /** Another process, a command, may have asked for replays. */
  async function lookForReplays (): Promise<void> {
    const last = await reader.remote.lastReplay()
    if (last === lastReplay) return
    lastReplay = last
    for (const feed of feeds.values()) feed.wakeReplays()
  }

  async function prune (): Promise<void> {
    let removed = 0
    for (;;) {
      const now = clock.now()
      const step = await writer.remote.prune({
        receivedBefore: now - retention.maxAgeMs, maxBytes: retention.maxBytes, keysBefore: now - dedupeWindowMs, limit: PRUNE_STEP
      })
      removed += step.removed
      if (!step.more || closing !== undefined) break
      await pause(PRUNE_PAUSE_MS)
    }
    if (removed > 0) logger.info({ removed }, 'journal pruned')
  }

  function reportDamaged ({ damaged }: ReadResult): void {
    if (damaged.length === 0) return
    logger.error({ sequences: damaged }, 'damaged records set aside')
    commits.setAside(damaged)
  }

  const store: FeedStore = {
    async readAfter (after, limit, limitBytes) {
      const atHand = recent.after(after, visible, limit)
      if (atHand !== undefined) return atHand
      const result = await reader.remote.readAfter({ after, visible, limit, limitBytes })
      reportDamaged(result)
      return result
    },
    async readMany (sequences) {
      const result = await reader.remote.readMany({ sequences })
      reportDamaged(result)
      return new Map(result.deliveries.map((delivery) => [delivery.sequence, delivery]))
    },
    readReplaysAfter: async (forwarder, after, limit) => await reader.remote.readReplaysAfter({ forwarder, after, limit }),
    commit: commits.save,
    monotonic: clock.monotonic
  }

  return {
    start,
    append: async (delivery: NewDelivery) => await commits.append(delivery),

    async openFeed (feedOptions) {
      const progress = await writer.remote.registerFeed({ forwarder: feedOptions.forwarder, start: feedOptions.start })
      const feed = createFeed(feedOptions, progress, store)
      feeds.set(feedOptions.forwarder, feed)
      return feed
    },

    async close () {
      closing ??= (async () => {
        for (const timer of timers) clearTimeout(timer)
        await commits.close()
        await writer.remote.close()
        await reader.remote.close()
        await Promise.all([writer.exited, reader.exited])
        lock?.release()
      })()
      await closing
    }
  }
}

/** Whether what keeps the journal from opening may pass by itself: no room, no permission, a failing disk. */
function isPassing (error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^(?:SQLITE_(?:FULL|READONLY|IOERR|CANTOPEN|BUSY)|ENOSPC|EROFS|EACCES|EIO)/.test(code)
}
