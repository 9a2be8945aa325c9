/**
 * When new events are sent. `open`: on a schedule, whatever becomes of those before, so that a receiver's slow answers show
 * as slow answers and not as fewer events. `closed`: the next one as soon as there is room for it.
 */
export type Pace =
  | { readonly kind: 'open', readonly perSecond: number, readonly events: number }
  | { readonly kind: 'closed', readonly events: number }
  | { readonly kind: 'closed', readonly forMs: number }

/** How many events there will be at most; `undefined` where only the time ends it. */
export function eventsOf (pace: Pace): number | undefined {
  return 'events' in pace ? pace.events : undefined
}

/**
 * When the event with this index, from 0, is due, in milliseconds after the beginning; `undefined` where there is no such
 * event any more.
 */
export function dueAtMs (pace: Pace, index: number, elapsedMs: number): number | undefined {
  if ('forMs' in pace) return elapsedMs < pace.forMs ? elapsedMs : undefined
  if (index >= pace.events) return undefined
  return pace.kind === 'open' ? index * 1000 / pace.perSecond : elapsedMs
}

/** Of neighbours in the index, no two have a similar part: shares of events so chosen are spread over all types of them. */
const SPREAD = (Math.sqrt(5) - 1) / 2

/** Whether and when a second copy of the event with this index is sent: each event belongs to one of the shares (0 to 1) at most. */
export function copyOf (index: number, { overlaps, duplicates }: { readonly overlaps: number, readonly duplicates: number }): 'none' | 'beside' | 'after' {
  const part = (index + 1) * SPREAD % 1
  if (part < overlaps) return 'beside'
  return part < overlaps + duplicates ? 'after' : 'none'
}
