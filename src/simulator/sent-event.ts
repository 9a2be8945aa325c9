import { isSuccess, type Answer } from './answer.js'
import type { CopyFate } from './tally.js'

/** An event from its first request until nothing more will come of it. */
export interface SentEvent {
  readonly index: number
  readonly source: string
  /** Wall-clock time, which its body tells. */
  readonly happenedAt: number
  /** When its first request was sent, in milliseconds since the beginning. */
  readonly firstAt: number
  /** Whether a copy of it is sent once it has been accepted. */
  readonly copiedLater: boolean
  /** Tries that failed, without those of the copy. */
  strikes: number
  /** Requests that are under way or will be. */
  pending: number
  accepted: boolean
  /** Whether all tries are spent. */
  exhausted: boolean
  /** Whether it has been counted as what it came to. */
  settled: boolean
  /** The answer that accepted it, but for a copy's. */
  taken?: Answer
  copyAnswer?: Answer
}

/** What the receiver made of an event's second copy. */
export function copyFate ({ taken, copyAnswer }: SentEvent): CopyFate | undefined {
  if (copyAnswer === undefined) return undefined
  if (!isSuccess(copyAnswer)) return 'refused'
  // Either may have been the first to arrive.
  if (copyAnswer.duplicate === true || taken?.duplicate === true) return 'recognised'
  if (taken?.id === undefined || copyAnswer.id === undefined) return 'unmarked'
  if (taken.id === copyAnswer.id) return 'recognised'
  // Others may put an id on each request; a verdict comes with the id of what is kept.
  return taken.verdict === undefined ? 'unmarked' : 'takenTwice'
}
