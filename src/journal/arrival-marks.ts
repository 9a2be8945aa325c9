import type { ArrivalSchedule } from './arrival-schedule.js'
import type { FeedStore } from './engine.js'
import type { FeedLimits } from './limits.js'
import type { Marks } from './marks.js'
import type { MarkKind } from './schedule.js'

export interface ArrivalMarksOptions {
  readonly forwarder: string
  readonly schedule: ArrivalSchedule
  readonly store: FeedStore
  readonly limits: FeedLimits
}

const KINDS = ['first', 'replay'] as const

/** Reads marks into an arrival schedule, ordered by replay number and sequence. */
export function createArrivalMarks ({ forwarder, schedule, store, limits }: ArrivalMarksOptions): Marks {
  const last = { first: { replay: 0, sequence: 0 }, replay: { replay: 0, sequence: 0 } }
  const mayHaveMore = { first: true, replay: true }
  let reading = false
  /** Whether marks of the first pass may be on disk that are not in memory. */
  let leftBehind = true

  async function readPage (kind: MarkKind): Promise<void> {
    reading = true
    mayHaveMore[kind] = false
    try {
      const marks = await store.readMarks(forwarder, kind, last[kind], limits.page)
      for (const { dueInMs, ...mark } of marks) schedule.restore({ ...mark, dueAt: dueInMs > 0 ? store.monotonic() + dueInMs : 0 })
      last[kind] = marks.at(-1) ?? last[kind]
      mayHaveMore[kind] ||= marks.length === limits.page
      if (kind === 'first') leftBehind = mayHaveMore.first
    } catch (error) {
      mayHaveMore[kind] = true
      throw error
    } finally {
      reading = false
    }
  }

  function isWanted (kind: MarkKind): boolean {
    return mayHaveMore[kind] && schedule.marks(kind) <= limits.queued[kind] - limits.page
  }

  return {
    read () {
      const kind = reading ? undefined : KINDS.find(isWanted)
      return kind === undefined ? undefined : readPage(kind)
    },
    wants: () => KINDS.some(isWanted),
    dueInMs: () => undefined,
    wakeReplays () { mayHaveMore.replay = true },
    // Marks of the first pass exist if the forwarder had another order before. They go before all deliveries after the cursor.
    admits: () => !leftBehind,
    admit (_deliveries, offer) {
      offer()
      return undefined
    },
    drain: () => [],
    forget () {}
  }
}
