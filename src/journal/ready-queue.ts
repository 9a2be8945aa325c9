import TinyQueue from 'tinyqueue'
import { kindOf, type Entry, type MarkKind } from './schedule.js'

/** The entries that no other entry of their lane blocks: those due now, and those due later. */
export interface ReadyQueue {
  readonly add: (entry: Entry) => void
  /** Puts a taken entry back to the front. */
  readonly putBack: (entry: Entry) => void
  /** Takes the entry whose turn it is; `undefined` if none is due. */
  readonly take: (now: number) => Entry | undefined
  /** Milliseconds until the next waiting entry is due; `undefined` if none waits. */
  readonly dueInMs: (now: number) => number | undefined
  /** How many entries in the queue have a mark of this kind. */
  readonly count: (kind: MarkKind) => number
}

/** The order of turns. New deliveries get at least half of the attempts, whatever else is due. */
const TURNS = ['fresh', 'first', 'fresh', 'replay'] as const

export function createReadyQueue (monotonic: () => number): ReadyQueue {
  /** Due entries: those without a mark, and those of each kind of mark. */
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

    putBack (entry) {
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
