import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Delivery } from '../delivery/delivery.js'
import type { AttemptRecord, Claim, Claims, Feed, FeedOptions, Settlement } from '../delivery/journal.js'
import { createArrivalSchedule } from './arrival-schedule.js'
import { createLaneSchedule } from './lane-schedule.js'
import type { Change, Entry } from './schedule.js'

/** How much of the journal's order a feed holds in memory at once: entries and bytes of bodies. */
const WINDOW_ENTRIES = 1024
const WINDOW_BYTES = 8 * 1024 * 1024
/** A feed with this many deliveries waiting takes no new ones until some are through, so that its memory is bounded. */
const WAITING_LIMIT = 10_000
/** Replays taken into memory at once. */
const REPLAY_PAGE = 256

/** What was kept of a forwarder's progress. */
export interface Progress {
  readonly cursor: number
  readonly position: string | null
  readonly waiting: readonly WaitingMark[]
}

export interface WaitingMark {
  readonly sequence: number
  readonly replay: number
  readonly lane: string | null
  readonly attempt: number
  readonly waitedMs: number
  /** Milliseconds from now until it is due. */
  readonly dueInMs: number
}

/** What must go to disk together. */
export interface FeedCommit {
  readonly forwarder: string
  readonly cursor: number
  /** `undefined`: as it was. */
  readonly position: string | undefined
  /** `undefined`: as it was. */
  readonly breaker: BreakerState | undefined
  readonly changes: readonly Change[]
  readonly records: readonly RecordedAttempt[]
}

export interface RecordedAttempt extends AttemptRecord {
  readonly sequence: number
  readonly replay: number
  readonly attempt: number
  readonly outcome: 'forwarded' | 'retry' | 'dead'
  readonly detail: string | null
}

/** What a feed needs of its engine. */
export interface FeedStore {
  /** The deliveries after a sequence that a forwarder may see, in order, and the sequence up to which that is all there is. */
  readonly readAfter: (sequence: number, limit: number, limitBytes: number) => Promise<{ readonly deliveries: readonly Delivery[], readonly upTo: number }>
  /** What is gone or damaged is missing from the answer. */
  readonly readMany: (sequences: readonly number[]) => Promise<ReadonlyMap<number, Delivery>>
  readonly readReplaysAfter: (forwarder: string, after: { readonly replay: number, readonly sequence: number }, limit: number) => Promise<readonly WaitingMark[]>
  readonly commit: (commit: FeedCommit) => Promise<void>
  readonly monotonic: () => number
}

export interface JournalFeed extends Feed {
  /** Tells that there is more to read. */
  readonly wake: () => void
  /** Tells that replays were asked for. */
  readonly wakeReplays: () => void
}

/** The reading side of one forwarder over any engine: a window of the journal's order, and its schedule. */
export function createFeed ({ forwarder, order, onWork }: FeedOptions, progress: Progress, store: FeedStore): JournalFeed {
  const schedule = order === 'arrival'
    ? createArrivalSchedule({ cursor: progress.cursor, monotonic: store.monotonic })
    : createLaneSchedule({ cursor: progress.cursor, laneOf: order === 'customer' ? customerOf : () => null, monotonic: store.monotonic })
  const claimed = new Map<Claim, Entry>()
  const commits = new Set<Promise<void>>()
  let position = progress.position
  let readUpTo = progress.cursor
  let mayHaveMore = true
  let mayHaveReplays = true
  let lastReplay = { replay: 0, sequence: 0 }
  let closed = false

  for (const mark of progress.waiting) restore(mark)

  function restore ({ dueInMs, ...mark }: WaitingMark): void {
    schedule.restore({ ...mark, dueAt: dueInMs > 0 ? store.monotonic() + dueInMs : 0 })
  }

  async function refill (): Promise<void> {
    const size = schedule.size()
    if (mayHaveReplays && size.marked < WAITING_LIMIT) {
      mayHaveReplays = false
      const marks = await store.readReplaysAfter(forwarder, lastReplay, REPLAY_PAGE)
      for (const mark of marks) restore(mark)
      lastReplay = marks.at(-1) ?? lastReplay
      mayHaveReplays ||= marks.length === REPLAY_PAGE
    }
    const room = WINDOW_ENTRIES - size.unmarked
    if (!mayHaveMore || room < WINDOW_ENTRIES / 2 || size.unmarkedBytes > WINDOW_BYTES / 2 || size.marked >= WAITING_LIMIT) return
    mayHaveMore = false
    const { deliveries, upTo } = await store.readAfter(readUpTo, room, WINDOW_BYTES - size.unmarkedBytes)
    for (const delivery of deliveries) schedule.offer(delivery)
    schedule.pass(upTo)
    mayHaveMore ||= upTo > readUpTo
    readUpTo = upTo
  }

  /** Entries of which only the mark is in memory get their deliveries; those whose record is gone or damaged are let go. */
  async function load (entries: readonly Entry[]): Promise<readonly Claim[]> {
    const missing = entries.filter((entry) => entry.delivery === undefined).map((entry) => entry.sequence)
    const read = missing.length > 0 ? await store.readMany(missing) : new Map<number, Delivery>()
    const claims: Claim[] = []
    for (const entry of entries) {
      const delivery = entry.delivery ?? read.get(entry.sequence)
      if (delivery === undefined) {
        schedule.settle(entry, { status: 'skipped' })
        continue
      }
      const claim: Claim = { delivery, attempt: entry.attempt, replay: entry.replay > 0, waitedMs: entry.waitedMs }
      claimed.set(claim, entry)
      claims.push(claim)
    }
    return claims
  }

  function commit (records: readonly RecordedAttempt[], changed: { readonly position?: string | undefined, readonly breaker?: BreakerState }): Promise<void> {
    const done = store.commit({
      forwarder, cursor: schedule.cursor(), position: changed.position, breaker: changed.breaker, changes: schedule.drainChanges(), records
    })
    const tracked = done.finally(() => commits.delete(tracked))
    commits.add(tracked)
    return tracked
  }

  return {
    get position () { return position },

    async claim (limit): Promise<Claims> {
      if (closed) return { claims: [] }
      await refill()
      const { entries, dueInMs } = schedule.take(limit)
      const claims = await load(entries)
      return { claims, ...(dueInMs === undefined ? {} : { dueInMs }) }
    },

    async settle (settlements, newPosition) {
      const records: RecordedAttempt[] = []
      for (const { claim, result, record } of settlements) {
        const entry = claimed.get(claim)
        if (entry === undefined) throw new TypeError('A settlement must be of a claim that this feed has handed out and that is not settled')
        claimed.delete(claim)
        if (record !== undefined) records.push(toRecord(entry, result, record))
        schedule.settle(entry, result)
      }
      if (newPosition !== undefined) position = newPosition
      await commit(records, { position: newPosition })
    },

    async noteBreaker (breaker) {
      await commit([], { breaker })
    },

    async close () {
      closed = true
      await Promise.allSettled(commits)
    },

    wake () {
      mayHaveMore = true
      onWork()
    },

    wakeReplays () {
      mayHaveReplays = true
      onWork()
    }
  }
}

/** One customer's deliveries are a lane. What names no customer is in nobody's way. */
function customerOf (delivery: Delivery): string | null {
  return delivery.customerId
}

function toRecord (entry: Entry, result: Settlement['result'], record: AttemptRecord): RecordedAttempt {
  if (result.status === 'skipped' || result.status === 'returned') throw new TypeError(`A ${result.status} delivery has no attempt to record`)
  const detail = result.status === 'forwarded' ? result.detail ?? null : result.reason
  return { ...record, sequence: entry.sequence, replay: entry.replay, attempt: entry.attempt, outcome: result.status, detail }
}
