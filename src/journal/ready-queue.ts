import TinyQueue from 'tinyqueue'
import { kindOf, type Entry, type MarkKind } from './schedule.js'

/** The entries that nothing of their lane is in the way of: those that are due, and those that will be. */
export interface ReadyQueue {
  readonly add: (entry: Entry) => void
  /** Puts an entry that was taken back to where it goes next. */
  readonly giveBack: (entry: Entry) => void
  /** The one that goes next at this time; `undefined` where none is due. */
  readonly take: (now: number) => Entry | undefined
  /** In how many milliseconds the first that waits is due; `undefined` where none waits. */
  readonly dueInMs: (now: number) => number | undefined
  /** How many with a mark of this kind are in it. */
  readonly count: (kind: MarkKind) => number
}

/** Who goes first, one time after another: what has just arrived gets half of the attempts at least, whatever else is due. */
const TURNS = ['fresh', 'first', 'fresh', 'replay'] as const

export function createReadyQueue (monotonic: () => number): ReadyQueue {
  /** Those without a mark, and those of each kind with one. */
  const ready: Readonly<Record<'fresh' | MarkKind, Entry[]>> = { fresh: [], first: [], replay: [] }
  const waiting = new TinyQueue<Entry>([], (a, b) => a.dueAt - b.dueAt)
  const counts = { first: 0, replay: 0 }
  let turn = 0

  function next (): Entry | undefined {
    if (ready.first.length === 0 && ready.replay.length === 0) return ready.fresh.shift()
    turn = (turn + 1) % TURNS.length
    return ready[TURNS[turn] ?? 'fresh'].shift() ?? ready.fresh.shift() ?? ready.first.shift() ?? ready.replay.shift()
  }

  return {
    add (entry) {
      if (!entry.marked) {
        ready.fresh.push(entry)
        return
      }
      counts[kindOf(entry)]++
      if (entry.dueAt > monotonic()) waiting.push(entry)
      else ready[kindOf(entry)].push(entry)
    },

    giveBack (entry) {
      if (entry.marked) counts[kindOf(entry)]++
      ready[entry.marked ? kindOf(entry) : 'fresh'].unshift(entry)
    },

    take (now) {
      while ((waiting.peek()?.dueAt ?? Infinity) <= now) {
        const due = waiting.pop()
        if (due !== undefined) ready[kindOf(due)].push(due)
      }
      const entry = next()
      if (entry?.marked === true) counts[kindOf(entry)]--
      return entry
    },

    dueInMs (now) {
      const first = waiting.peek()
      return first === undefined ? undefined : Math.max(0, first.dueAt - now)
    },

    count: (kind) => counts[kind]
  }
}
