import type { Observer } from '../delivery/observation.js'
import { countDuration } from './durations.js'

/** The counts of one part of a span. */
export interface Slot {
  /** When it begins, in milliseconds since the epoch. */
  readonly at: number
  /** Accepted events, by type. */
  readonly events: Record<string, number>
  readonly forwarders: Record<string, ForwarderSlot>
}

export interface ForwarderSlot {
  forwarded: number
  retry: number
  dead: number
  /** The number of calls per class of durations. */
  readonly durations: Record<string, number>
  /** The last known backlog; absent if it was not checked. */
  backlog?: number
}

/** How long a slot is, in milliseconds, and how many slots are kept. */
export const spans = {
  hour: { everyMs: 60_000, slots: 60 },
  day: { everyMs: 300_000, slots: 288 }
} as const

export type Span = keyof typeof spans
export const spanNames = Object.keys(spans) as readonly Span[]

/** The history as kept between runs. */
export interface KeptHistory extends Readonly<Record<Span, readonly Slot[]>> {
  /** Since when each call of a forwarder has led to retries and no success, by its name. */
  readonly failing: Readonly<Record<string, number>>
}

export interface History {
  readonly observer: Observer
  /** Sets the number of deliveries that a forwarder has yet to pass on. */
  readonly setBacklog: (forwarder: string, count: number) => void
  /** Since when each call of a forwarder has led to retries and no success, in milliseconds since the epoch; `undefined` if the last one did not. */
  readonly failingSince: (forwarder: string) => number | undefined
  /** The slots with any counts, oldest first. */
  readonly slots: (span: Span) => readonly Slot[]
  readonly keep: () => KeptHistory
  readonly restore: (earlier: KeptHistory) => void
}

/** The name under which further and very long event types are counted. Without it, a sender could add types for ever. */
export const OTHER_TYPES = 'other types'
const MAX_TYPES = 20
const MAX_TYPE_LENGTH = 100

/** Copies a record into an object without a prototype, because an event type or a forwarder may be called `constructor`. */
function ownKeys<Value> (record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.assign(Object.create(null), record)
}

/** Counts what happened in the last hour and day, in bounded memory. */
export function createHistory ({ now, forwarderNames }: { readonly now: () => number, readonly forwarderNames: readonly string[] }): History {
  const names = new Set(forwarderNames)
  const failing = new Map<string, number>()
  const rings: Record<Span, Slot[]> = { hour: [], day: [] }

  function current (span: Span): Slot {
    const { everyMs, slots } = spans[span]
    const at = Math.floor(now() / everyMs) * everyMs
    const last = rings[span].at(-1)
    // After the clock was set back, counting goes on in the latest slot.
    if (last !== undefined && last.at >= at) return last
    const next: Slot = { at, events: ownKeys({}), forwarders: ownKeys({}) }
    rings[span] = [...rings[span].filter((slot) => slot.at > at - slots * everyMs), next]
    return next
  }

  function countType (events: Record<string, number>, eventType: string): void {
    const name = eventType in events || (eventType.length <= MAX_TYPE_LENGTH && Object.keys(events).length < MAX_TYPES) ? eventType : OTHER_TYPES
    events[name] = (events[name] ?? 0) + 1
  }

  function forwarderSlot (span: Span, forwarder: string): ForwarderSlot {
    const { forwarders } = current(span)
    const slot = forwarders[forwarder] ?? { forwarded: 0, retry: 0, dead: 0, durations: {} }
    forwarders[forwarder] = slot
    return slot
  }

  return {
    observer: {
      webhookAnswered (answer) {
        if (answer.outcome === 'accepted') for (const span of spanNames) countType(current(span).events, answer.eventType)
      },
      attemptsEnded ({ forwarder, counts, durationMs }) {
        if (!names.has(forwarder)) return
        // An attempt that ends in a dead letter is no sign that the next delivery will fail.
        if (counts.forwarded > 0 || counts.retry === 0) failing.delete(forwarder)
        else if (!failing.has(forwarder)) failing.set(forwarder, now())
        for (const span of spanNames) {
          const slot = forwarderSlot(span, forwarder)
          for (const status of ['forwarded', 'retry', 'dead'] as const) slot[status] += counts[status]
          countDuration(slot.durations, durationMs)
        }
      }
    },
    setBacklog (forwarder, count) {
      if (names.has(forwarder)) for (const span of spanNames) forwarderSlot(span, forwarder).backlog = count
    },
    failingSince: (forwarder) => failing.get(forwarder),
    slots: (span) => rings[span],
    keep: () => ({ ...rings, failing: Object.fromEntries(failing) }),
    restore (earlier) {
      for (const span of spanNames) {
        const { everyMs, slots } = spans[span]
        rings[span] = earlier[span].filter(({ at }) => at > now() - slots * everyMs && at <= now()).sort((a, b) => a.at - b.at).slice(-slots)
          .map((slot) => ({ ...slot, events: ownKeys(slot.events), forwarders: ownKeys(slot.forwarders) }))
      }
      for (const [forwarder, since] of Object.entries(earlier.failing)) if (names.has(forwarder)) failing.set(forwarder, since)
    }
  }
}
