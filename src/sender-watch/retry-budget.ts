import type { AcceptedWebhook, ProvenEvent } from '../delivery/observation.js'
import type { ProblemCode } from '../errors/problem.js'
import type { Counter, CounterOptions } from './counter.js'
import { describe, isOver, type FailedSource, type Source } from './failed-source.js'
import type { Observations } from './observations.js'
import { adviceFor, mostTries, WARN_AT_TRIES, TRIES_ALLOWED, TRIES_END_MS } from './sender-tries.js'

/** How much later than scheduled the last try may come before an event counts as given up, in milliseconds. */
const GRACE_MS = 3_600_000

const MAX_SOURCES = 100
const MAX_EVENTS = 200

type KeptRetryBudget = Observations['retryBudget']

export interface RetryBudget extends Counter<KeptRetryBudget> {
  readonly sources: () => readonly FailedSource[]
}

/**
 * Counts, from our own answers, how much of its retry budget the sender has used for each source. Only signed webhooks count. Unsigned ones
 * take no place in the table, change no count and cause no alarm.
 */
export function createRetryBudget ({ logger, now, told = new Map(), tells = () => true, isWhole = () => true }: CounterOptions<string>): RetryBudget {
  const sources = new Map<string, Source>()
  /** Events that failed at other replicas. */
  let elsewhere: ReadonlySet<string> = new Set()
  const recovered = new Map<string, NonNullable<KeptRetryBudget['recovered']>[number]>()

  function accepted ({ sourceId, eventId: id, secretNumber }: AcceptedWebhook): void {
    if ((sources.size === 0 && elsewhere.size === 0) || sourceId === null || secretNumber === undefined) return
    const eventId = id ?? ''
    const key = keyOf({ sourceId, eventId })
    if (elsewhere.has(key)) recovered.set(key, { sourceId, eventId, at: now() })
    const source = sources.get(sourceId)
    if (source?.events.delete(eventId) === true && source.events.size === 0 && isWhole() && tells()) logRecovered(sourceId)
  }

  function logRecovered (sourceId: string): void {
    if (told.delete(sourceId)) logger.info({ sourceId }, 'webhook accepted again after it failed')
  }

  /** Removes events that a replica accepted after they had failed. */
  function settle (): void {
    const time = now()
    for (const [key, { sourceId, eventId, at }] of recovered) {
      const events = sources.get(sourceId)?.events
      if ((events?.get(eventId)?.firstAt ?? Infinity) < at) events?.delete(eventId)
      if (time - at > TRIES_END_MS + GRACE_MS) recovered.delete(key)
    }
  }

  function refused (code: ProblemCode, { sourceId, eventId }: ProvenEvent): void {
    const source = sourceId === null ? undefined : sourceFor(sourceId)
    if (sourceId === null || source === undefined) return
    const time = now()
    forgetGivenUp(sourceId, source, time)
    if (source.events.size === 0) source.firstFailureAt = time
    source.lastCode = code
    source.lastFailureAt = time
    const seen = source.events.get(eventId ?? '')
    if (seen !== undefined) {
      if (seen.failures < mostTries(time - seen.firstAt)) seen.failures++
    } else if (source.events.size < MAX_EVENTS) {
      source.events.set(eventId ?? '', { failures: 1, firstAt: time })
    }
    if (isWhole() && tells()) warn(sourceId, source)
  }

  /** Returns the source's entry in the table, and creates one if there is room. */
  function sourceFor (sourceId: string): Source | undefined {
    const present = sources.get(sourceId)
    if (present !== undefined) return present
    if (sources.size >= MAX_SOURCES) {
      const done = [...sources].find(([, source]) => isOver(source, now()))
      if (done === undefined) return undefined
      sources.delete(done[0])
    }
    const source: Source = { lastCode: 'INTERNAL', firstFailureAt: 0, lastFailureAt: 0, events: new Map() }
    sources.set(sourceId, source)
    return source
  }

  function warn (sourceId: string, source: Source): void {
    const { triesUsed, disabledAt, failedEvents } = describe(sourceId, source)
    const tries = WARN_AT_TRIES.find((each) => triesUsed >= each)
    if (tries === undefined || tries <= (told.get(sourceId) ?? 0)) return
    told.set(sourceId, tries)
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

  /** Forgets events that the sender no longer tries. After a day, it has switched the webhook off or received another answer. */
  function forgetGivenUp (sourceId: string, { events }: Source, time: number): void {
    for (const [id, event] of events) {
      // A clock that was ahead recorded this time. If it stayed, no try would count before that time.
      event.firstAt = Math.min(event.firstAt, time)
      if (time - event.firstAt > TRIES_END_MS + GRACE_MS) events.delete(id)
    }
    if (events.size === 0 && isWhole()) told.delete(sourceId)
  }

  /** Forgets sources that are over, because they take up places in the table. */
  function forgetOver (): void {
    const time = now()
    settle()
    for (const [id, source] of sources) {
      forgetGivenUp(id, source, time)
      if (isOver(source, time)) sources.delete(id)
    }
  }

  function restoreSource ({ sourceId, lastCode, firstFailureAt, lastFailureAt, alarmed, events }: KeptRetryBudget['sources'][number]): void {
    const known = sources.get(sourceId)
    if (known === undefined && sources.size >= MAX_SOURCES) return
    const source = known ?? { lastCode: lastCode as ProblemCode, firstFailureAt, lastFailureAt, events: new Map() }
    sources.set(sourceId, source)
    if (alarmed > (told.get(sourceId) ?? 0)) told.set(sourceId, alarmed)
    if (lastFailureAt > source.lastFailureAt) source.lastCode = lastCode as ProblemCode
    source.lastFailureAt = Math.max(source.lastFailureAt, lastFailureAt)
    // A source without failed events does not tell when the present trouble began.
    if (events.length > 0) source.firstFailureAt = source.events.size === 0 ? firstFailureAt : Math.min(source.firstFailureAt, firstFailureAt)
    for (const { eventId, failures, firstAt } of events) {
      const seen = source.events.get(eventId)
      if (seen !== undefined) {
        seen.firstAt = Math.min(seen.firstAt, firstAt)
        seen.failures = Math.min(seen.failures + failures, mostTries(now() - seen.firstAt))
      } else if (source.events.size < MAX_EVENTS) source.events.set(eventId, { failures, firstAt })
    }
  }

  return {
    restore (earlier) {
      for (const kept of earlier.sources) restoreSource(kept)
      for (const each of earlier.recovered ?? []) recovered.set(keyOf(each), each)
    },

    heard (others) {
      const failing = new Set(others.flatMap((other) => other.sources.flatMap(({ sourceId, events }) => events.map(({ eventId }) => keyOf({ sourceId, eventId })))))
      elsewhere = failing
      for (const each of others.flatMap((other) => other.recovered ?? [])) {
        const events = sources.get(each.sourceId)?.events
        if ((events?.get(each.eventId)?.firstAt ?? Infinity) < each.at) events?.delete(each.eventId)
      }
      // The other replicas have learned of these.
      for (const key of recovered.keys()) if (!failing.has(key)) recovered.delete(key)
    },

    check () {
      settle()
      for (const [id, source] of sources) {
        if (source.events.size === 0 && now() - source.firstFailureAt <= TRIES_END_MS + GRACE_MS) logRecovered(id)
        forgetGivenUp(id, source, now())
        if (source.events.size > 0) warn(id, source)
      }
    },

    answered (answer) {
      if (answer.outcome !== 'refused') accepted(answer)
      else if (answer.proven !== undefined) refused(answer.code, answer.proven)
    },

    sources () {
      forgetOver()
      return [...sources].map(([id, source]) => describe(id, source)).sort((a, b) => b.triesUsed - a.triesUsed || b.lastFailureAt - a.lastFailureAt)
    },

    keep () {
      forgetOver()
      return {
        sources: [...sources].map(([sourceId, { events, ...source }]) => ({
          sourceId, ...source, alarmed: told.get(sourceId) ?? 0, events: [...events].map(([eventId, event]) => ({ eventId, ...event }))
        })),
        ...recovered.size === 0 ? {} : { recovered: [...recovered.values()] }
      }
    }
  }
}

function keyOf ({ sourceId, eventId }: { readonly sourceId: string, readonly eventId: string }): string {
  return `${sourceId}\n${eventId}`
}
