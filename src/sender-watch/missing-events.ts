import type { Logger } from 'pino'
import { eventTypePattern } from '../delivery/event-type-pattern.js'
import type { AcceptedWebhook } from '../delivery/observation.js'
import type { Observations } from './observations.js'

/** An expected event, of a type or of a source, and the longest time between two of them. */
export interface Expectation {
  /** An event type in which `*` stands for any characters, or `source:` and a source's id. */
  readonly pattern: string
  readonly withinMs: number
}

/** Times are in milliseconds since the epoch. */
export interface ExpectationState {
  readonly expectation: string
  readonly withinMs: number
  /** `null` if no such event has come yet. */
  readonly lastAt: number | null
  /** The time since the last event, or since the expectation began. */
  readonly ageMs: number
  readonly missing: boolean
}

export interface MissingEventsOptions {
  readonly expectations: readonly Expectation[]
  readonly logger: Logger
  readonly now: () => number
  /** Whether this replica, of several, logs warnings; always if absent. */
  readonly tells?: () => boolean
}

export interface MissingEvents {
  /** Takes over the times that earlier runs or other replicas have seen, if they are later. */
  readonly restore: (earlier: Observations['missingEvents']) => void
  readonly accepted: (webhook: AcceptedWebhook) => void
  /** Logs a warning for each expected event that is missing: one for each period without an event. */
  readonly check: () => void
  readonly states: () => readonly ExpectationState[]
  readonly keep: () => Observations['missingEvents']
  /** Checks regularly, until `close`. */
  readonly start: () => void
  readonly close: () => void
}

interface Watched extends Expectation {
  readonly matches: (event: Pick<AcceptedWebhook, 'eventType' | 'sourceId'>) => boolean
  lastAt: number | null
  /** When the expectation began. */
  since: number
  /** The number of periods without an event that were warned of. */
  periods: number
}

const MAX_CHECK_MS = 30_000
const MIN_CHECK_MS = 1000
const SOURCE_PREFIX = 'source:'

/** Watches for events that do not come. A paused distribution sends nothing, so it causes no error either. */
export function createMissingEvents ({ expectations, logger, now, tells = () => true }: MissingEventsOptions): MissingEvents {
  const watched = expectations.map(({ pattern, withinMs }): Watched => ({ pattern, withinMs, matches: matcherOf(pattern), lastAt: null, since: now(), periods: 0 }))
  let timer: NodeJS.Timeout | undefined

  /** Limits times to the present. A time in the future comes from a wrong clock, and nothing would count as missing before that time. */
  function settled (each: Watched): Watched {
    const time = now()
    each.since = Math.min(each.since, time)
    if (each.lastAt !== null) each.lastAt = Math.min(each.lastAt, time)
    return each
  }

  function ageMs (each: Watched): number {
    const { lastAt, since } = settled(each)
    return Math.max(0, now() - (lastAt ?? since))
  }

  function came (each: Watched, at: number): void {
    if (each.periods > 0 && tells()) logger.info({ expectation: each.pattern, ageMs: ageMs(each) }, 'expected event comes again')
    each.lastAt = at
    each.periods = 0
  }

  function check (): void {
    if (!tells()) return
    for (const each of watched) {
      const ms = ageMs(each)
      const periods = Math.floor(ms / each.withinMs)
      if (periods > each.periods) {
        logger.warn({
          expectation: each.pattern, withinMs: each.withinMs, ageMs: ms, lastAt: each.lastAt === null ? null : new Date(each.lastAt).toISOString()
        }, 'expected event does not come')
      }
      // The number may also decrease, after a clock that was ahead is set right.
      each.periods = periods
    }
  }

  return {
    restore (earlier) {
      for (const each of watched) {
        const kept = earlier.find(({ expectation }) => expectation === each.pattern)
        if (kept === undefined) continue
        if (kept.lastAt !== null && kept.lastAt > (each.lastAt ?? -Infinity)) came(each, kept.lastAt)
        each.since = Math.min(each.since, kept.since)
      }
    },
    accepted (webhook) {
      // Anyone who has captured a duplicate or late webhook can send it again, so it proves nothing.
      if (webhook.outcome === 'duplicate' || webhook.late) return
      for (const each of watched) if (each.matches(webhook)) came(each, now())
    },
    check,
    states: () => watched.map((each) => {
      const ms = ageMs(each)
      return { expectation: each.pattern, withinMs: each.withinMs, lastAt: each.lastAt, ageMs: ms, missing: ms > each.withinMs }
    }),
    keep: () => watched.map(settled).map(({ pattern, lastAt, since }) => ({ expectation: pattern, lastAt, since })),
    start () {
      if (watched.length === 0 || timer !== undefined) return
      const shortest = Math.min(...watched.map(({ withinMs }) => withinMs))
      timer = setInterval(check, Math.min(MAX_CHECK_MS, Math.max(MIN_CHECK_MS, shortest / 10)))
    },
    close () {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** Makes a function, because it is called for every event. */
function matcherOf (pattern: string): (event: Pick<AcceptedWebhook, 'eventType' | 'sourceId'>) => boolean {
  if (pattern.startsWith(SOURCE_PREFIX)) {
    const id = pattern.slice(SOURCE_PREFIX.length)
    return ({ sourceId }) => sourceId === id
  }
  const matches = eventTypePattern(pattern)
  return ({ eventType }) => matches(eventType)
}
