import type { ProblemCode } from '../errors/problem.js'
import { TRIES_ALLOWED, TRIES_END_MS } from './sender-tries.js'

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

/** What is counted of a source. */
export interface Source {
  lastCode: ProblemCode
  firstFailureAt: number
  lastFailureAt: number
  readonly events: Map<string, { failures: number, firstAt: number }>
}

export function describe (sourceId: string, { lastCode, firstFailureAt, lastFailureAt, events }: Source): FailedSource {
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

/** Whether nothing is left to be shown: what failed is kept to be looked at for a day. */
export function isOver (source: Source, time: number): boolean {
  return source.events.size === 0 && time - source.lastFailureAt > TRIES_END_MS
}
