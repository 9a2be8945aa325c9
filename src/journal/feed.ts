import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery } from '../delivery/delivery.js'
import type { AttemptRecord, Claim, Claims, Feed, FeedOptions, Settlement } from '../delivery/journal.js'
import { within } from '../delivery/within.js'
import { createArrivalMarks } from './arrival-marks.js'
import { createArrivalSchedule } from './arrival-schedule.js'
import type { FeedStore, Progress, RecordedAttempt } from './engine.js'
import { createFeedWindow } from './feed-window.js'
import { HeldClaim } from './held-claim.js'
import { createLaneMarks } from './lane-marks.js'
import { createLaneSchedule } from './lane-schedule.js'
import { LIMITS } from './limits.js'
import type { Marks } from './marks.js'
import type { Entry, Schedule, Taken } from './schedule.js'

/** How often the feed looks for slow attempts, which must not hold up the cursor, in milliseconds. */
const LOOK_MS = 500
/** The longest retry delay that is stored, in milliseconds: a year. A destination may ask for nonsense. */
const MAX_DELAY_MS = 366 * 86_400_000
/** How long closing waits for the disk, in milliseconds. Progress that is not on disk by then is forwarded again after the next start. */
const CLOSE_TIMEOUT_MS = 2000

export interface JournalFeed extends Feed {
  /** Tells the feed that there may be new deliveries. */
  readonly wake: () => void
  /** Tells the feed that there may be new replays, and that deliveries which it has in memory may be erased. */
  readonly wakeReplays: () => void
}

/** Creates the feed of one forwarder, over any engine: a window of the journal, and a schedule. */
export function createFeed ({ forwarder, order, onWork }: FeedOptions, progress: Progress, store: FeedStore, limits = LIMITS): JournalFeed {
  const { schedule, marks, markSlow } = scheduleOf()
  const window = createFeedWindow({ order, progress, store, schedule, marks, limits, onChange: keep })
  const commits = new Set<Promise<void>>()
  let position = progress.position
  let lookTimer: NodeJS.Timeout | undefined
  let closed = false

  function scheduleOf (): { readonly schedule: Schedule, readonly marks: Marks, readonly markSlow?: () => boolean } {
    const { monotonic } = store
    if (order === 'arrival') {
      const schedule = createArrivalSchedule({ cursor: progress.cursor, monotonic })
      return { schedule, marks: createArrivalMarks({ forwarder, schedule, store, limits }) }
    }
    const schedule = createLaneSchedule({ cursor: progress.cursor, laneOf: order === 'customer' ? customerOf : () => null, monotonic, limits })
    return { schedule, marks: createLaneMarks({ forwarder, schedule, store, limits }), markSlow: schedule.markSlow }
  }

  /** Reads the deliveries of entries that have only a mark in memory. Entries whose record is gone or damaged are skipped. */
  async function load (entries: readonly Entry[]): Promise<readonly Claim[]> {
    // Take them before the read: during it, an entry that becomes slow gets a mark and loses its delivery.
    const atHand = entries.map(({ delivery }) => delivery)
    const read = await readMissing(entries, entries.filter((_entry, index) => atHand[index] === undefined).map(({ sequence }) => sequence))
    return handOut(entries, entries.map(({ sequence }, index) => atHand[index] ?? read.get(sequence)))
  }

  function handOut (entries: readonly Entry[], deliveries?: ReadonlyArray<Delivery | undefined>): readonly Claim[] {
    const claims: Claim[] = []
    for (const [index, entry] of entries.entries()) {
      const delivery = deliveries === undefined ? entry.delivery : deliveries[index]
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

  /** Waits for the reads in progress until there is something to claim or nothing more to wait for. */
  async function claimOnceRead (limit: number, taken: Taken): Promise<Claims> {
    for (let { entries, dueInMs } = taken; !closed; { entries, dueInMs } = takeMore(limit)) {
      const claims = areAtHand(entries) ? handOut(entries) : await load(entries)
      if (claims.length > 0) return { claims }
      if (entries.length > 0) {
        // Every entry taken was skipped. If the journal closes before this is on disk, they are skipped again after the next start.
        keep()
        continue
      }
      const reading = window.reading()
      if (reading !== undefined) {
        await reading
        continue
      }
      window.throwFailure()
      // Pages may contain nothing for this forwarder, so read on until there is no more.
      if (!marks.wants() && !window.wantsMore()) return { claims: [], ...sooner(dueInMs, marks.dueInMs()) }
    }
    return { claims: [] }
  }

  function takeMore (limit: number): Taken {
    window.readAhead()
    const taken = schedule.take(limit)
    if (taken.entries.length > 0) lookLater()
    return taken
  }

  /** Commits changes that no settlement caused. If the journal closes first, they are made again after the next start. */
  function keep (): void {
    commit([], {}).catch(() => undefined)
  }

  function commit (records: readonly RecordedAttempt[], changed: { readonly position?: string | undefined, readonly breaker?: BreakerState }): Promise<void> {
    const done = store.commit({
      forwarder, term: progress.term, cursor: schedule.cursor(), position: changed.position, breaker: changed.breaker, changes: schedule.drainChanges(), records
    })
    const leaving = marks.drain()
    if (leaving.length > 0) done.then(() => { leave(leaving) }, () => undefined)
    if (commits.has(done)) return done
    commits.add(done)
    const forget = (): void => { commits.delete(done) }
    done.then(forget, forget)
    return done
  }

  function leave (leaving: readonly Entry[]): void {
    marks.forget(leaving)
    // There may be room for more marks, and entries queued behind these may be due.
    if (!closed) onWork()
  }

  /** Marks attempts that hold up the cursor for too long. Repeats as long as one may become slow. */
  function look (): void {
    lookTimer = undefined
    if (markSlow?.() === true) lookLater()
    if (schedule.hasChanges()) keep()
  }

  function lookLater (): void {
    if (markSlow !== undefined && !closed) lookTimer ??= setTimeout(look, LOOK_MS)
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
        const entry = claim instanceof HeldClaim ? claim.takeEntry(schedule) : undefined
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
      clearTimeout(lookTimer)
      await within(CLOSE_TIMEOUT_MS, Promise.allSettled(commits))
      await store.giveUp(forwarder, progress.term)
    },

    wake () {
      window.wake()
      onWork()
    },

    wakeReplays () {
      schedule.forgetBodies()
      marks.wakeReplays()
      onWork()
    }
  }
}

function sooner (...times: ReadonlyArray<number | undefined>): { readonly dueInMs?: number } {
  const dueInMs = Math.min(...times.map((time) => time ?? Infinity))
  return dueInMs === Infinity ? {} : { dueInMs }
}

function areAtHand (entries: readonly Entry[]): boolean {
  return entries.every(({ delivery }) => delivery !== undefined)
}

type AttemptedResult = Exclude<Settlement['result'], { readonly status: 'returned' }>

/** Each customer is one lane. A delivery without a customer has no lane. */
function customerOf (delivery: Delivery): string | null {
  return delivery.customerId
}

/** Limits a delay to what every engine can store. Otherwise saving it would fail, and be tried again for ever. */
function keepable (delayMs: number): number {
  return Number.isNaN(delayMs) ? 0 : Math.min(Math.max(0, delayMs), MAX_DELAY_MS)
}

function toRecord ({ sequence, replay, attempt }: Entry, result: AttemptedResult, { startedAt, durationMs }: AttemptRecord): RecordedAttempt {
  const detail = result.status === 'forwarded' ? result.detail : result.status === 'skipped' ? undefined : result.reason
  return { startedAt, durationMs, sequence, replay, attempt, outcome: result.status, detail: detail === undefined ? null : String(detail) }
}
