/**
 * When new events are sent. `open`: on a schedule, whatever happens to earlier events. So a slow receiver shows as slow answers and not
 * as fewer events. `closed`: the next event is sent as soon as there is room for it.
 */
export type Pace =
  | { readonly kind: 'open', readonly perSecond: number, readonly events: number }
  | { readonly kind: 'closed', readonly events: number }
  | { readonly kind: 'closed', readonly forMs: number }

/** Returns the number of planned events; `undefined` if only time limits the run. */
export function eventsOf (pace: Pace): number | undefined {
  return 'events' in pace ? pace.events : undefined
}

/** Returns when the event with this index, from 0, is due, in milliseconds after the beginning; `undefined` if there is no such event. */
export function dueAtMs (pace: Pace, index: number, elapsedMs: number): number | undefined {
  if ('forMs' in pace) return elapsedMs < pace.forMs ? elapsedMs : undefined
  if (index >= pace.events) return undefined
  return pace.kind === 'open' ? index * 1000 / pace.perSecond : elapsedMs
}

/** Multiples of the golden ratio differ widely between neighbouring indexes, so each share gets events of all types. */
const SPREAD = (Math.sqrt(5) - 1) / 2

/** Returns whether and when a second copy of an event is sent. Shares are from 0 to 1, and an event belongs to one of them at most. */
export function copyOf (index: number, { overlaps, duplicates }: { readonly overlaps: number, readonly duplicates: number }): 'none' | 'beside' | 'after' {
  const part = (index + 1) * SPREAD % 1
  if (part < overlaps) return 'beside'
  return part < overlaps + duplicates ? 'after' : 'none'
}
