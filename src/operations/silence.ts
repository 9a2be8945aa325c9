import type { Logger } from 'pino'
import { eventTypePattern } from '../delivery/event-type-pattern.js'
import type { AcceptedWebhook } from '../delivery/observation.js'

/** What is expected to come: an event of a type, or of a source, at least so often. */
export interface Expectation {
  /** An event type in which `*` stands for any characters, or `source:` and a source's id. */
  readonly pattern: string
  readonly withinMs: number
}

/** Times are in milliseconds since the epoch. */
export interface SilenceState {
  readonly expectation: string
  readonly withinMs: number
  /** `null` where none has come yet. */
  readonly lastAt: number | null
  /** Since the last one, or since it is expected. */
  readonly silentMs: number
  readonly silent: boolean
}

export interface KeptSilence {
  readonly expectation: string
  readonly lastAt: number | null
  readonly since: number
}

export interface SilenceOptions {
  readonly expectations: readonly Expectation[]
  readonly logger: Logger
  readonly now: () => number
}

export interface Silence {
  /** Takes over what was kept of earlier runs, before anything is expected. */
  readonly restore: (earlier: readonly KeptSilence[]) => void
  readonly accepted: (webhook: AcceptedWebhook) => void
  /** Says what has been silent for too long: once, and again each further period. */
  readonly check: () => void
  readonly states: () => readonly SilenceState[]
  readonly keep: () => readonly KeptSilence[]
  /** Checks again and again, until `close`. */
  readonly start: () => void
  readonly close: () => void
}

interface Watched extends Expectation {
  readonly matches: (event: Pick<AcceptedWebhook, 'eventType' | 'sourceId'>) => boolean
  lastAt: number | null
  /** Since when it is expected. */
  since: number
  /** How many times the period of silence has passed that was told. */
  periods: number
}

const LONGEST_CHECK_MS = 30_000
const SHORTEST_CHECK_MS = 1000
const SOURCE_PREFIX = 'source:'

/** Watches for what does not come: a distribution that is paused sends nothing at all, and so no error either. */
export function createSilence ({ expectations, logger, now }: SilenceOptions): Silence {
  const watched = expectations.map(({ pattern, withinMs }): Watched => ({ pattern, withinMs, matches: matcherOf(pattern), lastAt: null, since: now(), periods: 0 }))
  let timer: NodeJS.Timeout | undefined

  function silentMs ({ lastAt, since }: { readonly lastAt: number | null, readonly since: number }): number {
    return Math.max(0, now() - (lastAt ?? since))
  }

  function check (): void {
    for (const each of watched) {
      const ms = silentMs(each)
      const periods = Math.floor(ms / each.withinMs)
      if (periods > each.periods) {
        logger.warn({
          expectation: each.pattern, withinMs: each.withinMs, silentMs: ms, lastAt: each.lastAt === null ? null : new Date(each.lastAt).toISOString()
        }, 'expected event does not come')
        each.periods = periods
      }
    }
  }

  return {
    restore (earlier) {
      for (const each of watched) {
        const kept = earlier.find(({ expectation }) => expectation === each.pattern)
        if (kept === undefined) continue
        each.lastAt = kept.lastAt
        each.since = kept.since
      }
    },
    accepted (webhook) {
      for (const each of watched) {
        if (!each.matches(webhook)) continue
        if (each.periods > 0) logger.info({ expectation: each.pattern, silentMs: silentMs(each) }, 'expected event comes again')
        each.lastAt = now()
        each.periods = 0
      }
    },
    check,
    states: () => watched.map((each) => {
      const ms = silentMs(each)
      return { expectation: each.pattern, withinMs: each.withinMs, lastAt: each.lastAt, silentMs: ms, silent: ms > each.withinMs }
    }),
    keep: () => watched.map(({ pattern, lastAt, since }) => ({ expectation: pattern, lastAt, since })),
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
