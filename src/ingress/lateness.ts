import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../delivery/clock.js'
import { parseTime } from '../delivery/parse-time.js'
import { isJsonObject, objectOrEmpty } from '../voucherify/parse-body.js'

/** The times in a signed envelope, in milliseconds since the epoch; `undefined` if the envelope does not say. */
export interface SignedTimes {
  readonly happenedAt: number | undefined
  readonly sentAt: number | undefined
}

/** Tells whether an event happened so long ago that the journal can no longer tell whether it is a copy. */
export interface Lateness {
  readonly isLate: (times: SignedTimes) => boolean
  /**
   * Must be called for each signed envelope that was accepted or is a duplicate, except for copies of late ones, because anyone can send those
   * again.
   */
  readonly accepted: (times: SignedTimes, late: boolean) => void
}

export interface LatenessOptions {
  /** For how long copies are recognized, in milliseconds. */
  readonly windowMs: number
  readonly clock: Clock
  readonly logger: Pick<FastifyBaseLogger, 'error'>
}

/** For how long late events must arrive at the pace of time before the clock counts as wrong, in milliseconds. */
const PACE_MS = 60_000
/** After this many late events without one that confirms the clock, the clock counts as wrong, whatever their pace. */
const MAX_LATE = 100
const MAX_TIME_LENGTH = 64

/** Reads the times of an envelope. If it does not say when the event happened, the time of sending is used for both. */
export function readTimes (body: unknown): SignedTimes {
  const envelope = isJsonObject(body) ? body : {}
  const sentAt = timeOf(envelope['created_at'])
  return { happenedAt: timeOf(objectOrEmpty(envelope['event'])['created_at']) ?? sentAt, sentAt }
}

function timeOf (value: unknown): number | undefined {
  const time = typeof value === 'string' && value.length <= MAX_TIME_LENGTH ? parseTime(value) : NaN
  return Number.isNaN(time) ? undefined : time
}

/**
 * Compares signed times with the clock, but does not let a wrong clock quarantine everything. An event that was sent long after it happened is
 * late by the sender's own times. Otherwise the wall clock decides, if it can be trusted:
 * - An envelope that was sent within the window confirms the clock. From then on time advances with the monotonic clock, which cannot be set.
 * - If nothing has confirmed the clock since the start, late events that arrive one after another at the pace of time disprove it: the sender
 *   sends live events, so the clock is ahead. Many late events in a row disprove it too.
 */
export function createLateness ({ windowMs, clock, logger }: LatenessOptions): Lateness {
  /** The clocks when the wall clock was last confirmed. */
  let confirmed: { readonly wall: number, readonly monotonic: number } | undefined
  /** The number of late events since the start, while nothing has confirmed the clock. */
  let late = 0
  /** An earlier late event, from which the pace is measured. */
  let mark: { readonly sentAt: number, readonly monotonic: number } | undefined
  /** How far the wall clock is ahead of the sender, if that is known; else 0. */
  let aheadMs = 0

  function now (): number {
    const wall = clock.now()
    return confirmed === undefined ? wall - aheadMs : Math.min(wall, confirmed.wall + clock.monotonic() - confirmed.monotonic)
  }

  function noteLate (sentAt: number): void {
    late++
    const monotonic = clock.monotonic()
    mark ??= { sentAt, monotonic }
    const elapsed = monotonic - mark.monotonic
    const advanced = sentAt - mark.sentAt
    if (late >= MAX_LATE || (elapsed >= PACE_MS && advanced >= elapsed / 2 && advanced <= elapsed * 2)) {
      aheadMs = clock.now() - sentAt
      logger.error({ aheadMs, late, advice: 'Correct the clock of this machine. Then release what it quarantined with --force.' }, 'clock ahead of the sender')
    } else if (elapsed >= PACE_MS) mark = { sentAt, monotonic }
  }

  return {
    isLate ({ happenedAt, sentAt }) {
      if (happenedAt === undefined) return false
      return (sentAt !== undefined && sentAt - happenedAt > windowMs) || now() - happenedAt > windowMs
    },

    accepted ({ happenedAt, sentAt = happenedAt }, isLate) {
      if (sentAt === undefined) return
      const wall = clock.now()
      if (Math.abs(wall - sentAt) <= windowMs) {
        confirmed = { wall, monotonic: clock.monotonic() }
        aheadMs = 0
      } else if (isLate && confirmed === undefined) noteLate(sentAt)
    }
  }
}
