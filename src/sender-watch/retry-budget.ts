import type { Logger } from 'pino'
import type { AcceptedWebhook, ProvenEvent, WebhookAnswer } from '../delivery/observation.js'
import type { ProblemCode } from '../errors/problem.js'
import { adviceFor, mostTries, TOLD_AT_TRIES, TRIES_ALLOWED, TRIES_END_MS } from './sender-tries.js'

/** How much later than by its schedule the last try may come before an event counts as given up. */
const GRACE_MS = 3_600_000

const MOST_SOURCES = 100
const MOST_EVENTS = 200

/** A source whose webhooks were signed, and were answered something other than 2xx. Times are in milliseconds since the epoch. */
export interface FailedSource {
  readonly sourceId: string
  /** The most that any of its events has used up. */
  readonly triesUsed: number
  readonly triesAllowed: number
  /** Events that have not been accepted since. */
  readonly failedEvents: number
  readonly firstFailureAt: number
  readonly lastFailureAt: number
  /** When the sender makes its last try of the event that failed first. */
  readonly disabledAt: number
  readonly lastCode: ProblemCode
  /** Whether all that failed has been accepted since. */
  readonly recovered: boolean
}

/** What is kept from one run to the next. */
export interface KeptRetryBudget {
  readonly sources: readonly KeptSource[]
}

export interface KeptSource {
  readonly sourceId: string
  readonly lastCode: string
  readonly firstFailureAt: number
  readonly lastFailureAt: number
  readonly alarmed: number
  readonly events: ReadonlyArray<{ readonly eventId: string, readonly failures: number, readonly firstAt: number }>
}

export interface RetryBudgetOptions {
  readonly logger: Logger
  readonly now: () => number
}

export interface RetryBudget {
  /** Takes over what was kept of earlier runs, before anything is counted. */
  readonly restore: (earlier: KeptRetryBudget) => void
  readonly answered: (answer: WebhookAnswer) => void
  readonly sources: () => readonly FailedSource[]
  readonly keep: () => KeptRetryBudget
}

interface Source {
  lastCode: ProblemCode
  firstFailureAt: number
  lastFailureAt: number
  /** The tries at which the last alarm was given; 0: none since it was well. */
  alarmed: number
  readonly events: Map<string, { failures: number, readonly firstAt: number }>
}

/**
 * Counts, from our own answers, how much of its retry budget the sender has used up on each source. Only what was signed counts: nobody
 * else gets a place, moves a count or gives an alarm.
 */
export function createRetryBudget ({ logger, now }: RetryBudgetOptions): RetryBudget {
  const sources = new Map<string, Source>()

  function accepted ({ sourceId, eventId, secretNumber }: AcceptedWebhook): void {
    if (sources.size === 0 || sourceId === null || secretNumber === undefined) return
    const source = sources.get(sourceId)
    if (source === undefined || !source.events.delete(eventId ?? '') || source.events.size > 0) return
    if (source.alarmed > 0) logger.info({ sourceId }, 'webhook accepted again after it failed')
    source.alarmed = 0
  }

  function refused (code: ProblemCode, { sourceId, eventId }: ProvenEvent): void {
    const source = sourceId === null ? undefined : sourceFor(sourceId)
    if (sourceId === null || source === undefined) return
    const time = now()
    forgetGivenUp(source, time)
    if (source.events.size === 0) source.firstFailureAt = time
    source.lastCode = code
    source.lastFailureAt = time
    const seen = source.events.get(eventId ?? '')
    if (seen !== undefined) {
      if (seen.failures < mostTries(time - seen.firstAt)) seen.failures++
    } else if (source.events.size < MOST_EVENTS) {
      source.events.set(eventId ?? '', { failures: 1, firstAt: time })
    }
    warn(sourceId, source)
  }

  /** The source's place in the table, made where there is one to be had. */
  function sourceFor (sourceId: string): Source | undefined {
    const present = sources.get(sourceId)
    if (present !== undefined) return present
    if (sources.size >= MOST_SOURCES) {
      const done = [...sources].find(([, source]) => isOver(source, now()))
      if (done === undefined) return undefined
      sources.delete(done[0])
    }
    const source: Source = { lastCode: 'INTERNAL', firstFailureAt: 0, lastFailureAt: 0, alarmed: 0, events: new Map() }
    sources.set(sourceId, source)
    return source
  }

  function warn (sourceId: string, source: Source): void {
    const { triesUsed, disabledAt, failedEvents } = describe(sourceId, source)
    const tries = TOLD_AT_TRIES.find((each) => triesUsed >= each)
    if (tries === undefined || tries <= source.alarmed) return
    source.alarmed = tries
    const fields = {
      sourceId,
      triesUsed,
      triesAllowed: TRIES_ALLOWED,
      disabledAt: new Date(disabledAt).toISOString(),
      failedEvents,
      lastCode: source.lastCode,
      advice: adviceFor(source.lastCode)
    }
    if (tries >= TRIES_ALLOWED / 2) logger.error(fields, 'sender is about to switch the webhook off')
    else logger.warn(fields, 'sender tries in vain')
  }

  return {
    restore (earlier) {
      for (const kept of earlier.sources.slice(0, MOST_SOURCES)) sources.set(kept.sourceId, asSource(kept))
    },

    answered (answer) {
      if (answer.outcome !== 'refused') accepted(answer)
      else if (answer.proven !== undefined) refused(answer.code, answer.proven)
    },

    sources () {
      const time = now()
      for (const [id, source] of sources) {
        forgetGivenUp(source, time)
        if (isOver(source, time)) sources.delete(id)
      }
      return [...sources].map(([id, source]) => describe(id, source)).sort((a, b) => b.triesUsed - a.triesUsed || b.lastFailureAt - a.lastFailureAt)
    },

    keep: () => ({
      sources: [...sources].map(([sourceId, { events, ...source }]) => ({ sourceId, ...source, events: [...events].map(([eventId, event]) => ({ eventId, ...event })) }))
    })
  }
}

function describe (sourceId: string, { lastCode, firstFailureAt, lastFailureAt, events }: Source): FailedSource {
  let failures = 0
  let firstAt = Infinity
  for (const event of events.values()) {
    failures = Math.max(failures, event.failures)
    firstAt = Math.min(firstAt, event.firstAt)
  }
  return {
    sourceId,
    triesUsed: Math.min(failures, TRIES_ALLOWED),
    triesAllowed: TRIES_ALLOWED,
    failedEvents: events.size,
    firstFailureAt,
    lastFailureAt,
    disabledAt: (events.size === 0 ? firstFailureAt : firstAt) + TRIES_END_MS,
    lastCode,
    recovered: events.size === 0
  }
}

/** The sender's tries of an event are over after a day: it is then switched off, or another answer has reached it. */
function forgetGivenUp (source: Source, time: number): void {
  for (const [id, { firstAt }] of source.events) if (time - firstAt > TRIES_END_MS + GRACE_MS) source.events.delete(id)
  if (source.events.size === 0) source.alarmed = 0
}

/** Whether nothing is left to be shown: what failed is kept to be looked at for a day. */
function isOver (source: Source, time: number): boolean {
  return source.events.size === 0 && time - source.lastFailureAt > TRIES_END_MS
}

function asSource ({ sourceId: _, events, lastCode, ...source }: KeptSource): Source {
  return {
    ...source,
    lastCode: lastCode as ProblemCode,
    events: new Map(events.slice(0, MOST_EVENTS).map(({ eventId, ...event }) => [eventId, { ...event }]))
  }
}
