import type { Entry } from './schedule.js'

/** The entries that hold up the cursor, in the journal's order: those without a mark that are not finished, and all entries after them. */
export interface Unpassed {
  readonly push: (entry: Entry) => void
  readonly entries: () => readonly Entry[]
  /** The sequence up to which everything is finished or marked; `undefined` if the list is empty. */
  readonly cursor: () => number | undefined
}

/** Entries that the cursor has passed are removed together, at the latest when there are this many. */
const PASSED_KEPT = 512

export function createUnpassed (): Unpassed {
  const all: Entry[] = []
  /** How many entries at the beginning of the list the cursor has passed. */
  let passed = 0
  return {
    push (entry) { all.push(entry) },
    entries: () => all.slice(passed),
    cursor () {
      while (passed < all.length && isPassed(all[passed])) passed++
      // Not every time, because `splice` moves all entries behind.
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
