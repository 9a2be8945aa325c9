import type { Entry } from './schedule.js'

/** What holds up a cursor, in the order of the journal: entries without a mark that are not finished, and what stands behind them. */
export interface Unpassed {
  readonly push: (entry: Entry) => void
  readonly entries: () => readonly Entry[]
  /** The sequence up to which everything is finished or marked; `undefined` where nothing is left. */
  readonly cursor: () => number | undefined
}

/** Entries that the cursor has passed are let go together, in this number at most. */
const PASSED_KEPT = 512

export function createUnpassed (): Unpassed {
  const all: Entry[] = []
  /** How many of them, at the beginning, the cursor has passed. */
  let passed = 0
  return {
    push (entry) { all.push(entry) },
    entries: () => all.slice(passed),
    cursor () {
      while (passed < all.length && isPassed(all[passed])) passed++
      // Now and then, because each time moves all that are behind.
      if (passed >= PASSED_KEPT || passed === all.length) {
        all.splice(0, passed)
        passed = 0
      }
      const first = all[passed]
      return first === undefined ? undefined : first.sequence - 1
    }
  }
}

function isPassed (entry: Entry | undefined): boolean {
  return entry !== undefined && (entry.marked || entry.state === 'finished')
}
