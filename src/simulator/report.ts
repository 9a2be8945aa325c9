import type { Percentiles } from './histogram.js'
import type { Verification } from './verify.js'

/** An example of an answer that is not a success. */
export interface ProblemSample {
  /** The event's index, from 0. */
  readonly event: number
  /** The number of the try, from 1. */
  readonly attempt: number
  readonly status: number | string
  readonly message: string
  readonly faults?: readonly string[]
}

/** How well the simulator kept its own schedule. */
export interface ScheduleReport {
  readonly perSecond: number
  readonly kept: boolean
  /** Events that were sent later than due, by more than the tolerance. */
  readonly lateStarts: number
  readonly latestMs: number
  /** Whether events had to wait because the limit of requests in progress was reached. */
  readonly limitReached: boolean
}

/** The result of a run. Every planned event is one of accepted, failed, lost, unfinished or not sent. */
export interface Report {
  readonly elapsedMs: number
  /** Whether the run was stopped before its end. */
  readonly stopped: boolean
  readonly events: {
    /** `null` if only time limits the run. */
    readonly planned: number | null
    readonly sent: number
    /** Answered 2xx in time, at the first try or a later one. */
    readonly accepted: number
    /** Not accepted at any try. */
    readonly failed: number
    /** Not tried again, because the webhook was switched off. */
    readonly lost: number
    /** In progress or waiting for a retry when the run was stopped. */
    readonly unfinished: number
  }
  readonly requests: number
  /** The number of answers of each kind. */
  readonly answers: Readonly<Record<string, number>>
  readonly timeouts: number
  readonly networkErrors: number
  /** Answers that said that the event is a duplicate. */
  readonly duplicatesRecognised: number
  /** Second copies that were sent on purpose. */
  readonly copies: {
    readonly sent: number
    readonly recognised: number
    /** Accepted, but the answers do not tell whether as a duplicate. */
    readonly unmarked: number
    /** Accepted as a new event. */
    readonly takenTwice: number
    readonly refused: number
  }
  /** From when each request was due to the end of its answer. A timeout counts with the time waited. */
  readonly latencyMs: Percentiles
  /** `null` if the pace is not a schedule. */
  readonly schedule: ScheduleReport | null
  readonly retries: { readonly spent: number, readonly mostStrikes: number }
  readonly switchedOff: ReadonlyArray<{ readonly source: string, readonly afterMs: number, readonly lost: number }>
  readonly problems: readonly ProblemSample[]
}

/** Whether no event failed or was lost, no copy was refused or accepted as new, and the verification, if any, is complete. */
export function isPerfect ({ events, copies }: Report, verification?: Verification): boolean {
  const sound = events.failed === 0 && events.lost === 0 && copies.takenTwice === 0 && copies.refused === 0
  return sound && (verification === undefined || verification.complete)
}
