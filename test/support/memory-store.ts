import type { Delivery } from '../../src/delivery/delivery.js'
import type { DueMarks, FeedCommit, FeedStore, MarkPlace, Progress, WaitingMark } from '../../src/journal/engine.js'
import { kindOf, type MarkKind } from '../../src/journal/schedule.js'
import { sampleDelivery } from './sample-delivery.js'

/** A mark as stored. */
export interface StoredMark {
  readonly sequence: number
  readonly replay: number
  readonly lane: string | null
  readonly attempt: number
  readonly waitedMs: number
  readonly dueAt: number
}

export interface MemoryStore extends FeedStore {
  readonly deliveries: Delivery[]
  readonly marks: Map<string, StoredMark>
  readonly dead: Set<number>
  readonly progress: () => Progress
  readonly append: (customerId: string | null) => Delivery
  readonly replay: (number: number, sequence: number) => void
  /** The number of calls that wait for an answer. */
  readonly pending: () => number
  /** Answers one of the calls. Reads are answered in any order, commits in their own. `fail`: a read fails. */
  readonly answer: (index: number, fail: boolean) => void
  /** Simulates a kill of the process: waiting calls are never answered. */
  readonly crash: () => void
  /** The most marks that were requested at once. */
  readonly mostAsked: () => number
}

/** Makes an engine in memory that answers on command. `random` decides whether a read sees the state when the read began, or a later one. */
export function createMemoryStore (monotonic: () => number, random: () => number): MemoryStore {
  const deliveries: Delivery[] = []
  const marks = new Map<string, StoredMark>()
  const dead = new Set<number>()
  let cursor = 0
  let most = 0
  let calls: Array<{ readonly run: () => void, readonly fail: () => void, readonly isCommit: boolean }> = []

  function later<T> (work: () => T, isCommit = false): Promise<T> {
    return new Promise((resolve, reject) => {
      // A commit takes effect when it is answered. A read takes effect then or at the call.
      const found = isCommit || random() < 0.5 ? undefined : { value: work() }
      calls.push({ run: () => { resolve(found === undefined ? work() : found.value) }, fail: () => { reject(new Error('the disk does not answer')) }, isCommit })
    })
  }

  function ofKind (kind: MarkKind): StoredMark[] {
    return [...marks.values()].filter((mark) => kindOf(mark) === kind).sort(byNumber)
  }

  function toMark ({ dueAt, ...mark }: StoredMark): WaitingMark {
    return { ...mark, dueInMs: Math.max(0, dueAt - monotonic()) }
  }

  function findDue (kind: MarkKind, withinMs: number, limit: number): DueMarks {
    most = Math.max(most, limit)
    const all = ofKind(kind)
    const heads = all.filter((mark, index) => mark.lane === null || !all.slice(0, index).some(({ lane }) => lane === mark.lane)).sort((a, b) => a.dueAt - b.dueAt || byNumber(a, b))
    const due = heads.filter(({ dueAt }) => dueAt <= monotonic() + withinMs)
    const next = heads[due.length]
    if (due.length >= limit) return { marks: due.slice(0, limit).map(toMark), nextInMs: 0 }
    return { marks: due.map(toMark), nextInMs: next === undefined ? undefined : Math.max(0, next.dueAt - monotonic()) }
  }

  function save ({ cursor: to, changes }: FeedCommit): void {
    cursor = to
    for (const change of changes) {
      const { sequence, replay, lane, attempt, waitedMs } = change.entry
      if (change.type === 'wait') marks.set(`${replay} ${sequence}`, { sequence, replay, lane, attempt, waitedMs, dueAt: monotonic() + change.delayMs })
      else marks.delete(`${replay} ${sequence}`)
      if (change.type === 'dead') dead.add(sequence)
      else if (change.type === 'finish' && replay > 0) dead.delete(sequence)
    }
  }

  const settled = (): number[] => [...ofKind('first').map(({ sequence }) => sequence), ...dead]

  return {
    deliveries,
    marks,
    dead,
    progress: () => ({ term: 1, cursor, position: null, paused: false, settled: Float64Array.from(settled().filter((sequence) => sequence > cursor)).sort() }),
    append (customerId) {
      const delivery = sampleDelivery({ sequence: deliveries.length + 1, customerId })
      deliveries.push(delivery)
      return delivery
    },
    replay (number, sequence) {
      marks.set(`${number} ${sequence}`, { sequence, replay: number, lane: deliveries[sequence - 1]?.customerId ?? null, attempt: 1, waitedMs: 0, dueAt: monotonic() })
    },
    pending: () => calls.length,
    answer (index, fail) {
      const chosen = calls[index % calls.length]
      // Commits reach the disk one after another.
      const call = chosen?.isCommit === true ? calls.find(({ isCommit }) => isCommit) : chosen
      calls = calls.filter((each) => each !== call)
      if (fail && call?.isCommit === false) call.fail()
      else call?.run()
    },
    crash () { calls = [] },
    mostAsked: () => most,
    monotonic,

    readAfter (after, limit) {
      const find = () => {
        const found = deliveries.slice(after, after + limit)
        return { deliveries: found, upTo: found.at(-1)?.sequence ?? after }
      }
      return random() < 0.5 ? find() : later(find)
    },
    readMany: async (sequences) => await later(() => new Map(sequences.flatMap((sequence) => deliveries.slice(sequence - 1, sequence)).map((delivery) => [delivery.sequence, delivery]))),
    readDue: async (_forwarder, kind, { withinMs, limit }) => await later(() => findDue(kind, withinMs, limit)),
    readLanes: async (_forwarder, kind, lanes, limit) => await later(() => lanes.flatMap(({ lane, after }) => ofKind(kind).filter((mark) => mark.lane === lane && isAfter(mark, after)).slice(0, limit).map(toMark))),
    readMarks: async (_forwarder, kind, after, limit) => await later(() => ofKind(kind).filter((mark) => isAfter(mark, after)).slice(0, limit).map(toMark)),
    commit: async (commit) => { await later(() => { save(commit) }, true) },
    giveUp: async () => {}
  }
}

function byNumber (a: MarkPlace, b: MarkPlace): number {
  return a.replay - b.replay || a.sequence - b.sequence
}

function isAfter (mark: MarkPlace, after: MarkPlace): boolean {
  return byNumber(mark, after) > 0
}
