import type { Percentiles } from './histogram.js'
import type { Verification } from './verify.js'

/** One answer that was not as it should be. */
export interface ProblemSample {
  /** Which event, from 0. */
  readonly event: number
  /** Which try of it, from 1. */
  readonly attempt: number
  readonly status: number | string
  readonly message: string
  readonly faults?: readonly string[]
}

/** How well the sender kept its own schedule. */
export interface ScheduleReport {
  readonly perSecond: number
  readonly kept: boolean
  /** Events that went out later than was due by more than is tolerated. */
  readonly lateStarts: number
  readonly latestMs: number
  /** Whether events had to wait since as many requests were under way as there may be. */
  readonly limitReached: boolean
}

/** What came of it all. Every event that was planned is one of accepted, failed, lost, unfinished or not sent. */
export interface Report {
  readonly elapsedMs: number
  /** Whether somebody stopped it before its end. */
  readonly stopped: boolean
  readonly events: {
    /** `null` where only the time, and not a number, ended it. */
    readonly planned: number | null
    readonly sent: number
    /** Answered 2xx in time, at the first try or a later one. */
    readonly accepted: number
    /** Not accepted at any try. */
    readonly failed: number
    /** Not tried any more since the webhook was switched off. */
    readonly lost: number
    /** Under way or waiting for a retry when it was stopped. */
    readonly unfinished: number
  }
  readonly requests: number
  /** How many answers there were of each kind. */
  readonly answers: Readonly<Record<string, number>>
  readonly timeouts: number
  readonly networkErrors: number
  /** Answers that said that the event is stored already. */
  readonly duplicatesRecognised: number
  /** Second copies that were sent on purpose. */
  readonly copies: {
    readonly sent: number
    readonly recognised: number
    /** Accepted, but whether as a duplicate the answer does not say. */
    readonly unmarked: number
    /** Accepted as another event. */
    readonly takenTwice: number
    readonly refused: number
  }
  /** From when each request was due to the end of its answer; a timeout counts with the time that was waited. */
  readonly latencyMs: Percentiles
  /** `null` where there was no schedule. */
  readonly schedule: ScheduleReport | null
  readonly retries: { readonly spent: number, readonly mostStrikes: number }
  readonly switchedOff: ReadonlyArray<{ readonly source: string, readonly afterMs: number, readonly lost: number }>
  readonly problems: readonly ProblemSample[]
}

/** Whether nothing was refused for good, lost, taken twice, or missing downstream. */
export function isPerfect ({ events, copies }: Report, verification?: Verification): boolean {
  const sound = events.failed === 0 && events.lost === 0 && copies.takenTwice === 0 && copies.refused === 0
  return sound && (verification === undefined || verification.complete)
}
