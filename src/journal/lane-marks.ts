import type { FeedStore, WaitingMark } from './engine.js'
import { SOON_MS, type LaneSchedule } from './lane-schedule.js'
import type { FeedLimits } from './limits.js'
import type { LaneEnd } from './mark-ledger.js'
import type { Marks } from './marks.js'
import type { MarkKind, RestoredEntry } from './schedule.js'

export interface LaneMarksOptions {
  readonly forwarder: string
  readonly schedule: LaneSchedule
  readonly store: FeedStore
  readonly limits: FeedLimits
}

const KINDS = ['first', 'replay'] as const
const BEGINNING = { replay: 0, sequence: 0 }

/** Reads the marks of a lane schedule when they fall due, one read at a time. */
export function createLaneMarks ({ forwarder, schedule, store, limits }: LaneMarksOptions): Marks {
  const { ledger } = schedule
  let reading: Promise<void> | undefined
  /** How many calls wait for the current read to end. */
  let queueing = 0
  let turn = 0

  /** Runs a read alone. The ledger forgets nothing during it, because the read may find marks as they were when it began. */
  async function alone (work: () => Promise<void>): Promise<void> {
    queueing++
    while (reading !== undefined) await reading.catch(() => undefined)
    queueing--
    ledger.beginRead()
    reading = work().finally(() => {
      reading = undefined
      ledger.endRead()
    })
    await reading
  }

  function toEntry ({ dueInMs, ...mark }: WaitingMark): RestoredEntry {
    return { ...mark, dueAt: dueInMs > 0 ? store.monotonic() + dueInMs : 0 }
  }

  async function readDue (kind: MarkKind): Promise<void> {
    // The read may find marks that are in memory already.
    const limit = ledger.count(kind) + limits.page
    ledger.beginDue(kind)
    try {
      const { marks, nextInMs } = await store.readDue(forwarder, kind, { withinMs: SOON_MS, limit })
      let restored = 0
      let ending = false
      for (const mark of marks) {
        // This mark is finished but still on disk. The next mark of its lane is found only after it has been removed there.
        ending ||= mark.lane !== null && ledger.find(mark)?.state === 'finished'
        if (restored === limits.page) return ledger.noteDue(kind, -Infinity)
        if (schedule.restore(toEntry(mark))) restored++
      }
      if (nextInMs !== undefined) ledger.noteDue(kind, store.monotonic() + nextInMs)
      else if (kind === 'first' && !ending) ledger.noteComplete()
    } catch (error) {
      ledger.noteDue(kind, -Infinity)
      throw error
    }
  }

  function wantedEnds (kind: MarkKind): readonly LaneEnd[] {
    const wanted: LaneEnd[] = []
    if (!schedule.hasRoom(kind)) return wanted
    for (const end of ledger.ends(kind)) {
      if (wanted.length === limits.lanes) break
      wanted.push(end)
    }
    return wanted
  }

  async function readOn (kind: MarkKind, ends: readonly LaneEnd[]): Promise<void> {
    const marks = await store.readLanes(forwarder, kind, ends, limits.lanePage)
    for (const end of ends) restoreLane(end, marks.filter(({ lane }) => lane === end.lane))
  }

  function restoreLane (end: LaneEnd, marks: readonly WaitingMark[]): void {
    for (const mark of marks) {
      // A parked mark blocks its lane, whether it is on disk already or still being written.
      if (ledger.find(mark)?.state === 'parked') return ledger.readOn(end, false)
      if (mark.dueInMs > SOON_MS) {
        ledger.noteDue(end.kind, store.monotonic() + mark.dueInMs)
        return ledger.readOn(end, false)
      }
      schedule.restore(toEntry(mark))
    }
    ledger.readOn(end, marks.length < limits.lanePage)
  }

  function isDue (kind: MarkKind): boolean {
    return ledger.dueAt(kind) - SOON_MS <= store.monotonic() && schedule.hasRoom(kind)
  }

  /** Chooses the next read. The kinds of read take turns. */
  function choose (): (() => Promise<void>) | undefined {
    for (let count = 0; count < 2 * KINDS.length; count++) {
      turn = (turn + 1) % (2 * KINDS.length)
      const kind = KINDS[turn % KINDS.length] ?? 'first'
      if (turn < KINDS.length) {
        if (isDue(kind)) return async () => { await readDue(kind) }
        continue
      }
      const ends = wantedEnds(kind)
      if (ends.length > 0) return async () => { await readOn(kind, ends) }
    }
    return undefined
  }

  return {
    read () {
      if (reading !== undefined || queueing > 0) return undefined
      const work = choose()
      return work === undefined ? undefined : alone(work)
    },

    wants: () => KINDS.some((kind) => isDue(kind) || wantedEnds(kind).length > 0),

    dueInMs () {
      const next = Math.min(...KINDS.map((kind) => schedule.hasRoom(kind) ? ledger.dueAt(kind) - SOON_MS : Infinity))
      return next === Infinity ? undefined : Math.max(0, next - store.monotonic())
    },

    wakeReplays () { ledger.noteDue('replay', -Infinity) },
    admits: () => ledger.parting() < limits.parting,

    admit (deliveries, offer) {
      if (schedule.unsureLanes(deliveries).length === 0) {
        offer()
        return undefined
      }
      return alone(async () => {
        const lanes = schedule.unsureLanes(deliveries)
        const marks = await store.readLanes(forwarder, 'first', lanes.map((lane) => ({ lane, after: BEGINNING })), 1)
        for (const { lane } of marks) if (lane !== null) ledger.noteLane(lane, 'first')
        offer()
      })
    },

    drain: ledger.drain,
    forget: ledger.forget
  }
}
