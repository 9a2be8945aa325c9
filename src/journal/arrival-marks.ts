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

/** Reads marks into a schedule in order of arrival, where nothing passes anything, in the order of their numbers. */
export function createArrivalMarks ({ forwarder, schedule, store, limits }: ArrivalMarksOptions): Marks {
  const last = { first: { replay: 0, sequence: 0 }, replay: { replay: 0, sequence: 0 } }
  const mayHaveMore = { first: true, replay: true }
  let reading = false
  /** Whether there may be marks of the first way that are not in memory. */
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
    // What a forwarder left behind that used to be of another order goes before all that it has not had.
    admits: () => !leftBehind,
    admit (_deliveries, offer) {
      offer()
      return undefined
    },
    drain: () => [],
    forget () {}
  }
}
