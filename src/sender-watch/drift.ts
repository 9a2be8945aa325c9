import type { AcceptedWebhook } from '../delivery/observation.js'
import { findEvent } from '../voucherify/catalogue.js'
import { createDriftFinder, type Difference, type DriftFinder } from '../voucherify/drift.js'
import type { Observations } from './observations.js'

/** Differences, each with how often it was met. What was met last comes first. */
export type DriftReport = Observations['drift']

/** How many differences have been met since the start, by a bounded number of labels. */
export interface DriftTotal {
  /** One that is in the catalogue, or `other`. */
  readonly eventType: string
  readonly kind: Difference['kind']
  count: number
}

export interface Drift {
  /** Adds what was counted before, or elsewhere. */
  readonly restore: (earlier: DriftReport) => void
  readonly accepted: (webhook: AcceptedWebhook) => void
  readonly report: () => DriftReport
  /** Forgets all differences, so that what is met again is told anew, and returns how many there were. The totals stay: counters do not go back. */
  readonly reset: () => number
  readonly totals: () => Iterable<DriftTotal>
}

export interface DriftOptions {
  readonly now: () => number
  /** How many differences are told apart; 500 where absent. */
  readonly limit?: number
  /** Of its own where absent, which takes a tenth of a second to make. */
  readonly finder?: DriftFinder
}

interface Entry {
  readonly difference: Difference
  readonly total: DriftTotal
  readonly place: string
  count: number
  firstAt: number
  lastAt: number
  /** Whether it has been taken out of the table. */
  gone: boolean
}

/** More of a source's id is not needed to tell it from others. */
const LONGEST_SOURCE = 128

/**
 * Counts the ways in which authentic events differ from what is known of them. Where the table is full, whoever has the most places loses one
 * to whoever has fewer, so that a source which sends ever new shapes displaces its own.
 */
export function createDrift ({ now, limit = 500, finder: { find, forget } = createDriftFinder() }: DriftOptions): Drift {
  const entries = new Map<string, Entry>()
  /** By place. */
  const groups = new Map<string, Set<Entry>>()
  /** What is told again is told by the same object: no text has to be put together to find it. */
  const byDifference = new WeakMap<Difference, Entry>()
  const totals = new Map<string, DriftTotal>()
  let dropped = 0
  let time = 0
  let source = ''

  function add (entry: Entry): void {
    entries.set(keyOf(entry.difference), entry)
    groups.set(entry.place, (groups.get(entry.place) ?? new Set()).add(entry))
  }

  function remove (entry: Entry): void {
    const group = groups.get(entry.place)
    entry.gone = true
    entries.delete(keyOf(entry.difference))
    group?.delete(entry)
    if (group?.size === 0) groups.delete(entry.place)
    dropped += entry.count
  }

  /** Whether there is room for one more of a place. Nobody loses the last one. */
  function hasRoom (place: string): boolean {
    if (entries.size < limit) return true
    let largest: ReadonlySet<Entry> = new Set()
    for (const group of groups.values()) if (group.size > largest.size) largest = group
    if (largest.size <= (groups.get(place)?.size ?? 0) + 1) return false
    // What floods is mostly met once.
    const [least] = [...largest].sort((a, b) => a.count - b.count || a.lastAt - b.lastAt)
    if (least !== undefined) remove(least)
    return true
  }

  function totalOf ({ eventType, kind }: Difference): DriftTotal {
    const label = findEvent(eventType) === undefined ? 'other' : eventType
    const key = `${label}\n${kind}`
    const total = totals.get(key) ?? { eventType: label, kind, count: 0 }
    totals.set(key, total)
    return total
  }

  function entryOf (difference: Difference): Entry | undefined {
    const key = keyOf(difference)
    let entry = entries.get(key)
    if (entry === undefined) {
      const total = totalOf(difference)
      const place = `${source}\n${total.eventType}`
      if (!hasRoom(place)) return undefined
      entry = { difference, total, place, count: 0, firstAt: time, lastAt: time, gone: false }
      add(entry)
    }
    byDifference.set(difference, entry)
    return entry
  }

  function count (difference: Difference): void {
    const known = byDifference.get(difference)
    const entry = known === undefined || known.gone ? entryOf(difference) : known
    if (entry === undefined) {
      dropped++
      totalOf(difference).count++
      return
    }
    entry.count++
    entry.total.count++
    entry.lastAt = time
  }

  return {
    restore (earlier) {
      dropped += earlier.dropped
      for (const { count, firstAt, lastAt, place = '', ...difference } of earlier.differences.slice(0, limit)) {
        const known = entries.get(keyOf(difference))
        if (known !== undefined) {
          known.count += count
          known.firstAt = Math.min(known.firstAt, firstAt)
          known.lastAt = Math.max(known.lastAt, lastAt)
        } else if (hasRoom(place)) add({ difference, total: totalOf(difference), place, count, firstAt, lastAt, gone: false })
        else dropped += count
      }
    },
    accepted (webhook) {
      // A copy of an event tells nothing that the first did not.
      if (webhook.outcome === 'duplicate') return
      time = now()
      source = sourceOf(webhook)
      find(webhook, source, count)
    },
    report: () => ({
      differences: [...entries.values()]
        .map(({ difference, count, firstAt, lastAt, place }) => ({ ...difference, count, firstAt, lastAt, place }))
        .sort((a, b) => b.lastAt - a.lastAt || b.count - a.count),
      dropped
    }),
    reset () {
      const count = entries.size
      for (const entry of entries.values()) entry.gone = true
      entries.clear()
      groups.clear()
      dropped = 0
      forget()
      return count
    },
    totals: () => totals.values()
  }
}

/** What nobody signed is of one source, since it can name any. So is what is signed and names none. */
function sourceOf ({ sourceId, secretNumber }: AcceptedWebhook): string {
  if (secretNumber === undefined) return 'unsigned'
  return sourceId === null ? 'signed' : `signed ${sourceId.slice(0, LONGEST_SOURCE)}`
}

function keyOf ({ eventType, kind, pointer, expected, seen }: Difference): string {
  return [eventType, kind, pointer, expected, seen].join('\n')
}
