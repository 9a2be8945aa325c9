import type { ProblemCode } from '../errors/problem.js'
import { TRIES_ALLOWED, TRIES_END_MS } from './sender-tries.js'

/** A source whose signed webhooks got an answer other than 2xx. Times are in milliseconds since the epoch. */
export interface FailedSource {
  readonly sourceId: string
  /** The highest number of tries that one of its events has used. */
  readonly triesUsed: number
  readonly triesAllowed: number
  /** Events that failed and have not been accepted since. */
  readonly failedEvents: number
  readonly firstFailureAt: number
  readonly lastFailureAt: number
  /** When the sender makes its last try of the event that failed first. */
  readonly disabledAt: number
  readonly lastCode: ProblemCode
  /** Whether all failed events have been accepted since. */
  readonly recovered: boolean
}

/** The counts of one source. */
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

/** Whether the source need not be shown any more. A source that has recovered stays visible for a day after its last failure. */
export function isOver (source: Source, time: number): boolean {
  return source.events.size === 0 && time - source.lastFailureAt > TRIES_END_MS
}
