import { setTimeout as sleep } from 'node:timers/promises'
import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery } from '../delivery/delivery.js'
import type { AttemptRecord, Claim, Claims, Feed, FeedOptions, Settlement } from '../delivery/journal.js'
import { createArrivalSchedule } from './arrival-schedule.js'
import type { FeedStore, Progress, ReadDeliveries, RecordedAttempt, WaitingMark } from './feed-store.js'
import { HeldClaim } from './held-claim.js'
import { createLaneSchedule } from './lane-schedule.js'
import type { Entry, Taken } from './schedule.js'

/**
 * How many entries of the journal's order a feed holds in memory at once. More of them let more lanes go on beside each other, and are
 * read less often: each time, the reader's thread takes a core that a relay and its destination could have. What goes in order of
 * arrival is taken in batches, and those are made faster of what the caches still hold.
 */
const WINDOW_ENTRIES = { arrival: 1024, customer: 4096, none: 4096 } as const
/** How many bytes of bodies it holds at once. */
const WINDOW_BYTES = 8 * 1024 * 1024
/** A feed with this many deliveries waiting takes no new ones until some are through, so that its memory is bounded. */
const WAITING_LIMIT = 10_000
/** Replays in memory, and read at once. Few, so that what has just arrived never stands behind a long replay. */
const REPLAY_LIMIT = 512
const REPLAY_PAGE = 256
/** The longest wait that is kept, in milliseconds: a year. What a destination asks for may be nonsense. */
const LONGEST_DELAY_MS = 366 * 86_400_000
/** How long closing waits for the disk, in milliseconds. What is not on it then is forwarded again after the next start. */
const CLOSE_TIMEOUT_MS = 2000

export interface JournalFeed extends Feed {
  /** Tells that there is more to read. */
  readonly wake: () => void
  /** Tells that replays were asked for. */
  readonly wakeReplays: () => void
  /** The sequence up to which it has all that it needs. */
  readonly readUpTo: () => number
}

/** The reading side of one forwarder over any engine: a window of the journal's order, and its schedule. */
export function createFeed ({ forwarder, order, onWork }: FeedOptions, progress: Progress, store: FeedStore): JournalFeed {
  const schedule = order === 'arrival'
    ? createArrivalSchedule({ cursor: progress.cursor, monotonic: store.monotonic })
    : createLaneSchedule({ cursor: progress.cursor, laneOf: order === 'customer' ? customerOf : () => null, monotonic: store.monotonic })
  const windowEntries = WINDOW_ENTRIES[order]
  const commits = new Set<Promise<void>>()
  let position = progress.position
  let readUpTo = progress.cursor
  let mayHaveMore = true
  let mayHaveReplays = true
  let lastReplay = { replay: 0, sequence: 0 }
  let readingMore: Promise<void> | undefined
  let readingReplays: Promise<void> | undefined
  let readFailure: { readonly error: unknown } | undefined
  let closed = false

  for (const mark of progress.waiting) restore(mark)

  function restore ({ dueInMs, ...mark }: WaitingMark): void {
    schedule.restore({ ...mark, dueAt: dueInMs > 0 ? store.monotonic() + dueInMs : 0 })
  }

  function wantsReplays (): boolean {
    return mayHaveReplays && schedule.size().replays <= REPLAY_LIMIT - REPLAY_PAGE
  }

  function wantsMore (): boolean {
    const { unmarked, unmarkedBytes, waiting } = schedule.size()
    return mayHaveMore && unmarked <= windowEntries / 2 && unmarkedBytes <= WINDOW_BYTES / 2 && waiting < WAITING_LIMIT
  }

  /**
   * Begins to read what will be wanted next, while what is at hand is forwarded. New deliveries and replays are read beside each
   * other, so that what has just arrived never stands behind more replays than are in memory at once.
   */
  function readAhead (): void {
    // It is told to the claim that finds nothing else, and then it is tried again.
    if (readFailure !== undefined) return
    if (readingReplays === undefined && wantsReplays()) readingReplays = readReplays().catch(readFailed).finally(() => { readingReplays = undefined })
    while (readingMore === undefined && wantsMore()) {
      const found = readMore()
      if (found === undefined) continue
      readingMore = found.catch(readFailed).finally(() => { readingMore = undefined })
    }
  }

  function readFailed (error: unknown): void {
    readFailure ??= { error }
  }

  async function readReplays (): Promise<void> {
    mayHaveReplays = false
    try {
      const marks = await store.readReplaysAfter(forwarder, lastReplay, REPLAY_PAGE)
      for (const mark of marks) restore(mark)
      lastReplay = marks.at(-1) ?? lastReplay
      mayHaveReplays ||= marks.length === REPLAY_PAGE
    } catch (error) {
      mayHaveReplays = true
      throw error
    }
  }

  /** Returns nothing where it is done already. */
  function readMore (): Promise<void> | undefined {
    const { unmarked, unmarkedBytes } = schedule.size()
    mayHaveMore = false
    const found = store.readAfter(readUpTo, windowEntries - unmarked, WINDOW_BYTES - unmarkedBytes)
    if (!(found instanceof Promise)) {
      offer(found)
      return undefined
    }
    return found.then(offer, (error: unknown) => {
      mayHaveMore = true
      throw error
    })
  }

  function offer ({ deliveries, upTo }: ReadDeliveries): void {
    for (const delivery of deliveries) schedule.offer(delivery)
    schedule.pass(upTo)
    mayHaveMore ||= upTo > readUpTo
    readUpTo = upTo
  }

  /** Entries of which only the mark is in memory get their deliveries; those whose record is gone or damaged are let go. */
  async function load (entries: readonly Entry[]): Promise<readonly Claim[]> {
    const missing = entries.filter((entry) => entry.delivery === undefined).map((entry) => entry.sequence)
    return handOut(entries, await readMissing(entries, missing))
  }

  function handOut (entries: readonly Entry[], read?: ReadonlyMap<number, Delivery>): readonly Claim[] {
    const claims: Claim[] = []
    for (const entry of entries) {
      const delivery = entry.delivery ?? read?.get(entry.sequence)
      if (delivery === undefined) {
        schedule.settle(entry, { status: 'skipped' })
        continue
      }
      claims.push(new HeldClaim(schedule, entry, delivery))
    }
    return claims
  }

  async function readMissing (entries: readonly Entry[], missing: readonly number[]): Promise<ReadonlyMap<number, Delivery>> {
    try {
      return await store.readMany(missing)
    } catch (error) {
      for (const entry of entries.toReversed()) schedule.settle(entry, { status: 'returned' })
      throw error
    }
  }

  /** Waits for what is being read, until there is something to hand out or nothing more to wait for. */
  async function claimOnceRead (limit: number, taken: Taken): Promise<Claims> {
    for (let { entries, dueInMs } = taken; !closed; { entries, dueInMs } = takeMore(limit)) {
      const claims = areAtHand(entries) ? handOut(entries) : await load(entries)
      if (claims.length > 0) return { claims }
      // All that was taken was let go; where the journal closes first, it is let go again after the next start.
      if (entries.length > 0) commit([], {}).catch(() => undefined)
      else if (readingMore !== undefined || readingReplays !== undefined) await Promise.race([readingMore, readingReplays].filter((reading) => reading !== undefined))
      else if (readFailure !== undefined) {
        const { error } = readFailure
        readFailure = undefined
        throw error
      // A page of which nothing is for a forwarder says nothing about the next page.
      } else if (!wantsReplays() && !wantsMore()) return { claims: [], ...(dueInMs === undefined ? {} : { dueInMs }) }
    }
    return { claims: [] }
  }

  function takeMore (limit: number): Taken {
    readAhead()
    return schedule.take(limit)
  }

  function commit (records: readonly RecordedAttempt[], changed: { readonly position?: string | undefined, readonly breaker?: BreakerState }): Promise<void> {
    const done = store.commit({
      forwarder, cursor: schedule.cursor(), position: changed.position, breaker: changed.breaker, changes: schedule.drainChanges(), records
    })
    if (commits.has(done)) return done
    commits.add(done)
    const forget = (): void => { commits.delete(done) }
    done.then(forget, forget)
    return done
  }

  return {
    paused: progress.paused,
    get position () { return position },

    claim (limit) {
      if (closed) return { claims: [] }
      const taken = takeMore(limit)
      return taken.entries.length > 0 && areAtHand(taken.entries) ? { claims: handOut(taken.entries) } : claimOnceRead(limit, taken)
    },

    settle (settlements, newPosition) {
      const records: RecordedAttempt[] = []
      for (const { claim, result: given, record } of settlements) {
        const entry = claim instanceof HeldClaim ? claim.letGo(schedule) : undefined
        if (entry === undefined) return Promise.reject(new TypeError('A settlement must be of a claim that this feed has handed out and that is not settled'))
        const result = given.status === 'retry' ? { ...given, delayMs: keepable(given.delayMs) } : given
        if (record !== undefined && result.status !== 'returned') records.push(toRecord(entry, result, record))
        schedule.settle(entry, result)
      }
      if (newPosition !== undefined) position = newPosition
      return commit(records, { position: newPosition })
    },

    async noteBreaker (breaker) {
      await commit([], { breaker })
    },

    async close () {
      closed = true
      const timer = new AbortController()
      await Promise.race([Promise.allSettled(commits), sleep(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
    },

    wake () {
      mayHaveMore = true
      onWork()
    },

    wakeReplays () {
      mayHaveReplays = true
      onWork()
    },

    readUpTo: () => readUpTo
  }
}

function areAtHand (entries: readonly Entry[]): boolean {
  return entries.every(({ delivery }) => delivery !== undefined)
}

type AttemptedResult = Exclude<Settlement['result'], { readonly status: 'returned' }>

/** One customer's deliveries are a lane. What names no customer is in nobody's way. */
function customerOf (delivery: Delivery): string | null {
  return delivery.customerId
}

/** A wait that no engine can keep would be tried to be kept for ever. */
function keepable (delayMs: number): number {
  return Number.isNaN(delayMs) ? 0 : Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS)
}

function toRecord ({ sequence, replay, attempt }: Entry, result: AttemptedResult, { startedAt, durationMs }: AttemptRecord): RecordedAttempt {
  const detail = result.status === 'forwarded' ? result.detail : result.status === 'skipped' ? undefined : result.reason
  return { startedAt, durationMs, sequence, replay, attempt, outcome: result.status, detail: detail === undefined ? null : String(detail) }
}
