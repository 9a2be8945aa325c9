import { isSuccess, type Answer } from './answer.js'
import type { CopyFate } from './tally.js'

/** An event, from its first request until it is settled. */
export interface SentEvent {
  readonly index: number
  readonly source: string
  /** The wall-clock time in the event's body, in milliseconds since the epoch. */
  readonly happenedAt: number
  /** When the first request was sent, in milliseconds since the beginning of the run. */
  readonly firstAt: number
  /** Whether a copy is sent after the event was accepted. */
  readonly copiedLater: boolean
  /** Failed tries, without those of the copy. */
  strikes: number
  /** Requests that are in progress or planned. */
  pending: number
  accepted: boolean
  /** Whether all tries have failed. */
  exhausted: boolean
  /** Whether the event has been counted in the report. */
  settled: boolean
  /** The answer that accepted the event, if it was not the copy's. */
  taken?: Answer
  copyAnswer?: Answer
}

/** Returns how the receiver treated an event's second copy; `undefined` if there is no answer to one. */
export function copyFate ({ taken, copyAnswer }: SentEvent): CopyFate | undefined {
  if (copyAnswer === undefined) return undefined
  if (!isSuccess(copyAnswer)) return 'refused'
  // Either of the two may have arrived first.
  if (copyAnswer.duplicate === true || taken?.duplicate === true) return 'recognised'
  if (taken?.id === undefined || copyAnswer.id === undefined) return 'unmarked'
  if (taken.id === copyAnswer.id) return 'recognised'
  // Only an answer with a verdict is sure to give the stored event's id. Other receivers may give each request an id.
  return taken.verdict === undefined ? 'unmarked' : 'takenTwice'
}
