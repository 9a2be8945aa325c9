import type { AcceptedWebhook } from '../delivery/observation.js'
import { findEvent } from '../voucherify/catalogue.js'
import { createDriftFinder, type Difference } from '../voucherify/drift.js'

/** A difference, with how often it was met. Times are in milliseconds since the epoch. */
export interface CountedDifference extends Difference {
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

export interface DriftReport {
  /** What was met last comes first. */
  readonly differences: readonly CountedDifference[]
  /** How often something was met for which there was no place any more. */
  readonly dropped: number
}

/** How many differences have been met since the start, by a bounded number of labels. */
export interface DriftTotal {
  /** One that is in the catalogue, or `other`. */
  readonly eventType: string
  readonly kind: Difference['kind']
  count: number
}

export interface Drift {
  /** Takes over what was kept of earlier runs, before anything is counted. */
  readonly restore: (earlier: DriftReport) => void
  readonly accepted: (webhook: AcceptedWebhook) => void
  readonly report: () => DriftReport
  readonly totals: () => Iterable<DriftTotal>
}

export interface DriftOptions {
  readonly now: () => number
  /** How many differences are told apart; 500 where absent. */
  readonly limit?: number
}

interface Entry {
  readonly difference: Difference
  readonly total: DriftTotal
  count: number
  readonly firstAt: number
  lastAt: number
}

/** Counts the ways in which authentic events differ from what is known of them. */
export function createDrift ({ now, limit = 500 }: DriftOptions): Drift {
  const find = createDriftFinder()
  const entries = new Map<string, Entry>()
  /** What is told again is told by the same object: no text has to be put together to find it. */
  const byDifference = new WeakMap<Difference, Entry>()
  const totals = new Map<string, DriftTotal>()
  let dropped = 0
  let time = 0

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
      if (entries.size >= limit) return undefined
      entry = { difference, total: totalOf(difference), count: 0, firstAt: time, lastAt: time }
      entries.set(key, entry)
    }
    byDifference.set(difference, entry)
    return entry
  }

  function count (difference: Difference): void {
    const entry = byDifference.get(difference) ?? entryOf(difference)
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
      dropped = earlier.dropped
      for (const { count, firstAt, lastAt, ...difference } of earlier.differences.slice(0, limit)) {
        entries.set(keyOf(difference), { difference, total: totalOf(difference), count, firstAt, lastAt })
      }
    },
    accepted (webhook) {
      // A copy of an event tells nothing that the first did not.
      if (webhook.outcome === 'duplicate') return
      time = now()
      find(webhook, count)
    },
    report: () => ({
      differences: [...entries.values()]
        .map(({ difference, count, firstAt, lastAt }) => ({ ...difference, count, firstAt, lastAt }))
        .sort((a, b) => b.lastAt - a.lastAt || b.count - a.count),
      dropped
    }),
    totals: () => totals.values()
  }
}

function keyOf ({ eventType, kind, pointer, expected, seen }: Difference): string {
  return [eventType, kind, pointer, expected, seen].join('\n')
}
