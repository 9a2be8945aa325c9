import type { Logger } from 'pino'
import type { AcceptedWebhook, RefusedWebhook, WebhookAnswer } from '../delivery/observation.js'
import type { ProblemCode } from '../errors.js'
import type { ReadRefused } from './read-refused.js'

/**
 * Voucherify tries again 1, 2, 4, … 512 minutes, 17 h 4 min and 24 h after the first attempt: 12 times. Then it disables the
 * webhook, or pauses the distribution's channel, and sends nothing more.
 */
export const TRIES_ALLOWED = 12
const PATIENCE_MS = 86_400_000
/** When the retries come, after the first attempt. */
const RETRIES_AFTER_MS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440].map((minutes) => minutes * 60_000)
/** How much earlier than by the schedule a retry may come and still be taken for one. */
const EARLY = 0.8
/** How much later than that the last try may come before an event counts as given up. */
const GRACE_MS = 3_600_000

/** What is logged, and how loud, once so many tries are used; the highest first. */
const ALARMS = [
  { tries: TRIES_ALLOWED * 3 / 4, level: 'error' },
  { tries: TRIES_ALLOWED / 2, level: 'error' },
  { tries: TRIES_ALLOWED / 4, level: 'warn' }
] as const

const MOST_SOURCES = 100
/** Sources of which nothing says that they exist. Few, so that nobody can fill the table, the log or the metrics with them. */
const MOST_UNKNOWN_SOURCES = 20
const MOST_EVENTS = 200
const MOST_KNOWN = 500
/** Alarms about sources of which nothing says that they exist. */
const UNKNOWN_ALARMS_PER_HOUR = 5
const HOUR_MS = 3_600_000

/** A source that was answered something other than 2xx. Times are in milliseconds since the epoch. */
export interface FailedSource {
  readonly sourceId: string
  /** Whether an event of it was ever authentic, accepted or not. If none was, anybody may have made the id up. */
  readonly proven: boolean
  /** Whether it was ever authentic, or accepted where nothing has to be signed. */
  readonly trusted: boolean
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
export interface KeptPatience {
  readonly known: readonly string[]
  readonly sources: readonly KeptSource[]
}

export interface KeptSource {
  readonly sourceId: string
  readonly proven: boolean
  readonly lastCode: string
  readonly firstFailureAt: number
  readonly lastFailureAt: number
  readonly alarmed: number
  readonly events: ReadonlyArray<{ readonly eventId: string, readonly failures: number, readonly firstAt: number }>
}

export interface PatienceOptions {
  readonly logger: Logger
  readonly now: () => number
  /** For bodies that are authentic, and for those that may be anybody's: these must not use up what those are read with. */
  readonly readProven: ReadRefused
  readonly readUnproven: ReadRefused
  /** Whether a secret is configured: then some refusals say that the body was authentic. */
  readonly signed: boolean
}

export interface Patience {
  /** Takes over what was kept of earlier runs, before anything is counted. */
  readonly restore: (earlier: KeptPatience) => void
  readonly answered: (answer: WebhookAnswer) => void
  readonly sources: () => readonly FailedSource[]
  readonly keep: () => KeptPatience
}

interface Source {
  proven: boolean
  lastCode: ProblemCode
  firstFailureAt: number
  lastFailureAt: number
  /** The tries at which the last alarm was given; 0: none since it was well. */
  alarmed: number
  readonly events: Map<string, { failures: number, readonly firstAt: number }>
}

/** Answers that are given only once the signature was found right. */
const PROVEN_BY: ReadonlySet<ProblemCode> = new Set<ProblemCode>(['EVENT_INVALID', 'RAW_PAYLOAD_REFUSED', 'EVENT_UNVALIDATED', 'JOURNAL_UNAVAILABLE'])

/** Counts, from our own answers, how much of its patience the sender has used up on each source. */
export function createPatience ({ logger, now, readProven, readUnproven, signed }: PatienceOptions): Patience {
  /** Sources of which an event was accepted. */
  const known = new Set<string>()
  const sources = new Map<string, Source>()
  let unknownAlarms = 0
  let unknownAlarmsSince = -Infinity

  function accepted ({ sourceId, eventId }: AcceptedWebhook): void {
    if (sourceId === null) return
    if (!known.has(sourceId) && known.size < MOST_KNOWN) known.add(sourceId)
    if (sources.size === 0) return
    const source = sources.get(sourceId)
    if (source === undefined || !source.events.delete(eventId ?? '') || source.events.size > 0) return
    if (source.alarmed > 0) logger.info({ sourceId }, 'webhook accepted again after it failed')
    source.alarmed = 0
  }

  function refused ({ code, rawBody, toWebhook }: RefusedWebhook): void {
    if (!toWebhook || rawBody === undefined) return
    const proven = signed && PROVEN_BY.has(code)
    const event = (proven ? readProven : readUnproven)(rawBody)
    if (event === undefined) return
    const source = sourceFor(event.sourceId, proven)
    if (source === undefined) return
    const time = now()
    forgetGivenUp(source, time)
    if (source.events.size === 0) source.firstFailureAt = time
    source.proven ||= proven
    source.lastCode = code
    source.lastFailureAt = time
    const seen = source.events.get(event.eventId)
    if (seen !== undefined) {
      if (seen.failures < mostTries(time - seen.firstAt)) seen.failures++
    } else if (source.events.size < MOST_EVENTS) {
      source.events.set(event.eventId, { failures: 1, firstAt: time })
    }
    warn(event.sourceId, source, time)
  }

  function isProven (sourceId: string, source: Pick<Source, 'proven'>): boolean {
    return source.proven || (signed && known.has(sourceId))
  }

  /** Whether more than a refused body says that there is such a source. */
  function isTrusted (sourceId: string, source: Pick<Source, 'proven'>): boolean {
    return source.proven || known.has(sourceId)
  }

  /** The source's place in the table, made where there is one to be had. */
  function sourceFor (sourceId: string, proven: boolean): Source | undefined {
    const present = sources.get(sourceId)
    if (present !== undefined) return present
    const trusted = isTrusted(sourceId, { proven })
    const others = [...sources].filter(([id, source]) => isTrusted(id, source) === trusted)
    if (others.length >= (trusted ? MOST_SOURCES : MOST_UNKNOWN_SOURCES)) {
      const done = others.find(([, source]) => isOver(source, now()))
      if (done === undefined) return undefined
      sources.delete(done[0])
    }
    const source: Source = { proven, lastCode: 'INTERNAL', firstFailureAt: 0, lastFailureAt: 0, alarmed: 0, events: new Map() }
    sources.set(sourceId, source)
    return source
  }

  function warn (sourceId: string, source: Source, time: number): void {
    const { triesUsed, disabledAt, failedEvents } = describe(sourceId, source)
    const alarm = ALARMS.find(({ tries }) => triesUsed >= tries)
    if (alarm === undefined || alarm.tries <= source.alarmed) return
    if (!isTrusted(sourceId, source) && !mayWarnOfUnknown(time)) return
    source.alarmed = alarm.tries
    const fields = {
      sourceId,
      triesUsed,
      triesAllowed: TRIES_ALLOWED,
      disabledAt: new Date(disabledAt).toISOString(),
      failedEvents,
      lastCode: source.lastCode,
      proven: isProven(sourceId, source),
      advice: adviceFor(source.lastCode)
    }
    if (alarm.level === 'error') logger.error(fields, 'sender is about to switch the webhook off')
    else logger.warn(fields, 'sender tries in vain')
  }

  function mayWarnOfUnknown (time: number): boolean {
    if (time - unknownAlarmsSince >= HOUR_MS) {
      unknownAlarmsSince = time
      unknownAlarms = 0
    }
    return ++unknownAlarms <= UNKNOWN_ALARMS_PER_HOUR
  }

  function describe (sourceId: string, source: Source): FailedSource {
    const { lastCode, firstFailureAt, lastFailureAt, events } = source
    let failures = 0
    let firstAt = Infinity
    for (const event of events.values()) {
      failures = Math.max(failures, event.failures)
      firstAt = Math.min(firstAt, event.firstAt)
    }
    return {
      sourceId,
      proven: isProven(sourceId, source),
      trusted: isTrusted(sourceId, source),
      triesUsed: Math.min(failures, TRIES_ALLOWED),
      triesAllowed: TRIES_ALLOWED,
      failedEvents: events.size,
      firstFailureAt,
      lastFailureAt,
      disabledAt: (events.size === 0 ? firstFailureAt : firstAt) + PATIENCE_MS,
      lastCode,
      recovered: events.size === 0
    }
  }

  return {
    restore (earlier) {
      for (const id of earlier.known.slice(0, MOST_KNOWN)) known.add(id)
      for (const kept of earlier.sources.slice(0, MOST_SOURCES + MOST_UNKNOWN_SOURCES)) sources.set(kept.sourceId, asSource(kept))
    },

    answered (answer) {
      if (answer.outcome === 'refused') refused(answer)
      else accepted(answer)
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
      known: [...known],
      sources: [...sources].map(([sourceId, { events, ...source }]) => ({ sourceId, ...source, events: [...events].map(([eventId, event]) => ({ eventId, ...event })) }))
    })
  }
}

/** How often the sender can have tried, so long after the first time: what comes faster than by its schedule is not its retry. */
function mostTries (afterMs: number): number {
  return 1 + RETRIES_AFTER_MS.filter((dueMs) => afterMs >= dueMs * EARLY).length
}

/** The sender's tries of an event are over after a day: it is then switched off, or another answer has reached it. */
function forgetGivenUp (source: Source, time: number): void {
  for (const [id, { firstAt }] of source.events) if (time - firstAt > PATIENCE_MS + GRACE_MS) source.events.delete(id)
  if (source.events.size === 0) source.alarmed = 0
}

/** Whether nothing is left to be shown: what failed is kept to be looked at for a day. */
function isOver (source: Source, time: number): boolean {
  return source.events.size === 0 && time - source.lastFailureAt > PATIENCE_MS
}

function asSource ({ sourceId: _, events, lastCode, ...source }: KeptSource): Source {
  return {
    ...source,
    lastCode: lastCode as ProblemCode,
    events: new Map(events.slice(0, MOST_EVENTS).map(({ eventId, ...event }) => [eventId, { ...event }]))
  }
}

function adviceFor (code: ProblemCode): string {
  switch (code) {
    case 'SIGNATURE_WRONG':
    case 'SIGNATURE_MISSING':
      return 'Compare VOUCHERIFY_WEBHOOK_SECRETS with the key in Voucherify\'s Project settings, Webhooks: it may have been rotated.'
    case 'JOURNAL_UNAVAILABLE':
      return 'Look at the disk of DATA_DIR: room, permissions, health.'
    case 'EVENT_INVALID':
    case 'BODY_NOT_JSON':
      return 'Look at the errors of "webhook refused"; INVALID_EVENTS=quarantine accepts what is signed, and holds it; forward passes it on.'
    case 'EVENT_UNVALIDATED':
      return 'Set UNVALIDATED_EVENTS to forward or quarantine, or take the event out of the webhook at Voucherify.'
    default:
      return 'Look at "webhook refused" and "webhook not accepted" in the log for the reason.'
  }
}
