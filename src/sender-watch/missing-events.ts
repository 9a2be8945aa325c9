import type { Logger } from 'pino'
import { eventTypePattern } from '../delivery/event-type-pattern.js'
import type { AcceptedWebhook } from '../delivery/observation.js'
import type { Observations } from './observations.js'

/** What is expected to come: an event of a type, or of a source, at least so often. */
export interface Expectation {
  /** An event type in which `*` stands for any characters, or `source:` and a source's id. */
  readonly pattern: string
  readonly withinMs: number
}

/** Times are in milliseconds since the epoch. */
export interface ExpectationState {
  readonly expectation: string
  readonly withinMs: number
  /** `null` where none has come yet. */
  readonly lastAt: number | null
  /** Since the last one, or since it is expected. */
  readonly ageMs: number
  readonly missing: boolean
}

export interface MissingEventsOptions {
  readonly expectations: readonly Expectation[]
  readonly logger: Logger
  readonly now: () => number
  /** Whether it is this one of several replicas that tells; always where absent. */
  readonly tells?: () => boolean
}

export interface MissingEvents {
  /** Takes over what earlier runs or other replicas have seen, where it is later. */
  readonly restore: (earlier: Observations['missingEvents']) => void
  readonly accepted: (webhook: AcceptedWebhook) => void
  /** Tells what stays away for too long: once, and again each further period. */
  readonly check: () => void
  readonly states: () => readonly ExpectationState[]
  readonly keep: () => Observations['missingEvents']
  /** Checks again and again, until `close`. */
  readonly start: () => void
  readonly close: () => void
}

interface Watched extends Expectation {
  readonly matches: (event: Pick<AcceptedWebhook, 'eventType' | 'sourceId'>) => boolean
  lastAt: number | null
  /** Since when it is expected. */
  since: number
  /** How many periods without an event were told. */
  periods: number
}

const LONGEST_CHECK_MS = 30_000
const SHORTEST_CHECK_MS = 1000
const SOURCE_PREFIX = 'source:'

/** Watches for what does not come: a distribution that is paused sends nothing at all, and so no error either. */
export function createMissingEvents ({ expectations, logger, now, tells = () => true }: MissingEventsOptions): MissingEvents {
  const watched = expectations.map(({ pattern, withinMs }): Watched => ({ pattern, withinMs, matches: matcherOf(pattern), lastAt: null, since: now(), periods: 0 }))
  let timer: NodeJS.Timeout | undefined

  /** A time that is still to come is a wrong clock's, and counts as now: else nothing would be missed before it has come. */
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
      // Fewer too, where a clock that was ahead is right again.
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
      // Whoever has captured it can send it again.
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
      timer = setInterval(check, Math.min(LONGEST_CHECK_MS, Math.max(SHORTEST_CHECK_MS, shortest / 10)))
    },
    close () {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** Asked for each event that comes in. */
function matcherOf (pattern: string): (event: Pick<AcceptedWebhook, 'eventType' | 'sourceId'>) => boolean {
  if (pattern.startsWith(SOURCE_PREFIX)) {
    const id = pattern.slice(SOURCE_PREFIX.length)
    return ({ sourceId }) => sourceId === id
  }
  const matches = eventTypePattern(pattern)
  return ({ eventType }) => matches(eventType)
}
