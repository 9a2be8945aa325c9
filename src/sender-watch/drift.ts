import type { AcceptedWebhook } from '../delivery/observation.js'
import { findEvent } from '../voucherify/catalogue.js'
import { createDriftFinder, type Difference, type DriftFinder } from '../voucherify/drift.js'
import type { Observations } from './observations.js'

/** Differences, each with its count. The most recent one comes first. */
export type DriftReport = Observations['drift']

/** The number of differences since the start, per event type and kind. The number of labels is bounded. */
export interface DriftTotal {
  /** An event type of the catalogue, or `other`. */
  readonly eventType: string
  readonly kind: Difference['kind']
  count: number
}

export interface Drift {
  /** Adds counts from an earlier run or another replica. */
  readonly restore: (earlier: DriftReport) => void
  readonly accepted: (webhook: AcceptedWebhook) => void
  readonly report: () => DriftReport
  /** Forgets all differences, so that they are reported anew. Returns how many there were. The totals stay, because counters must not decrease. */
  readonly reset: () => number
  readonly totals: () => Iterable<DriftTotal>
}

export interface DriftOptions {
  readonly now: () => number
  /** The most differences that are kept; 500 if absent. */
  readonly limit?: number
  /** A new one if absent. Making one takes a tenth of a second. */
  readonly finder?: DriftFinder
}

interface Entry {
  readonly difference: Difference
  readonly total: DriftTotal
  readonly place: string
  count: number
  firstAt: number
  lastAt: number
  /** Whether the entry was removed from the table. */
  gone: boolean
}

/** How many characters of a source's id are used. More are not needed to tell sources apart. */
const MAX_SOURCE_LENGTH = 128

/**
 * Counts the ways in which accepted events differ from their schemas. Entries are grouped by source and event type. If the table is full,
 * the largest group loses an entry to a smaller one. So a source that sends ever new shapes displaces only its own entries.
 */
export function createDrift ({ now, limit = 500, finder: { find, forget } = createDriftFinder() }: DriftOptions): Drift {
  const entries = new Map<string, Entry>()
  /** The entries by `place`: source and event type. */
  const groups = new Map<string, Set<Entry>>()
  /** The finder reports a repeated difference as the same object, so its entry is found without building a key. */
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

  /** Returns whether there is room for one more entry of a place, after removing another if needed. No place loses its last entry. */
  function hasRoom (place: string): boolean {
    if (entries.size < limit) return true
    let largest: ReadonlySet<Entry> = new Set()
    for (const group of groups.values()) if (group.size > largest.size) largest = group
    if (largest.size <= (groups.get(place)?.size ?? 0) + 1) return false
    // In a flood, most differences occur only once.
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
      // A duplicate shows nothing new.
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

/** Unsigned webhooks count as one source, because they can name any source. Signed webhooks without a source count as one too. */
function sourceOf ({ sourceId, secretNumber }: AcceptedWebhook): string {
  if (secretNumber === undefined) return 'unsigned'
  return sourceId === null ? 'signed' : `signed ${sourceId.slice(0, MAX_SOURCE_LENGTH)}`
}

function keyOf ({ eventType, kind, pointer, expected, seen }: Difference): string {
  return [eventType, kind, pointer, expected, seen].join('\n')
}
