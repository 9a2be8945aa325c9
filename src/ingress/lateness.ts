import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../delivery/clock.js'
import { parseTime } from '../delivery/parse-time.js'
import { isJsonObject, objectOrEmpty } from '../voucherify/parse-body.js'

/** What an envelope says, signed, of its times, in milliseconds since the epoch; `undefined` where it does not say. */
export interface SignedTimes {
  readonly happenedAt: number | undefined
  readonly sentAt: number | undefined
}

/** Tells whether an event happened so long ago that nothing can tell any more whether it has been here. */
export interface Lateness {
  readonly isLate: (times: SignedTimes) => boolean
  /** To be told of each signed envelope that was answered, but of no copies of late ones: anybody can send those again. */
  readonly accepted: (times: SignedTimes, late: boolean) => void
}

export interface LatenessOptions {
  /** For how long copies are told, in milliseconds. */
  readonly windowMs: number
  readonly clock: Clock
  readonly logger: Pick<FastifyBaseLogger, 'error'>
}

/** How long late events have to come at the pace of time before the clock is what is wrong, in milliseconds. */
const PACE_MS = 60_000
/** Late events in a row, whatever their pace, after which the clock is what is wrong. */
const MOST_LATE = 100
const LONGEST_TIME = 64

/** The times in an envelope: where it does not say when the event happened, when it was sent. */
export function readTimes (body: unknown): SignedTimes {
  const envelope = isJsonObject(body) ? body : {}
  const sentAt = timeOf(envelope['created_at'])
  return { happenedAt: timeOf(objectOrEmpty(envelope['event'])['created_at']) ?? sentAt, sentAt }
}

function timeOf (value: unknown): number | undefined {
  const time = typeof value === 'string' && value.length <= LONGEST_TIME ? parseTime(value) : NaN
  return Number.isNaN(time) ? undefined : time
}

/**
 * Compares signed times with the clock, and does not let a clock that is wrong hold back everything. An event is late by the sender's
 * own times alone where it was sent long after it happened. Else the wall clock counts, as far as it is to be believed:
 * - An envelope that was sent within the window confirms it. From then on the time goes on with the monotonic clock, which nobody sets.
 * - As long as nothing has confirmed it since the start, it is disproved by late events that come one after another at the pace of time: then
 *   the sender is live, and the clock is ahead. Many late ones in a row disprove it too.
 */
export function createLateness ({ windowMs, clock, logger }: LatenessOptions): Lateness {
  /** The wall clock when it was last confirmed. */
  let confirmed: { readonly wall: number, readonly monotonic: number } | undefined
  /** Late events since the start, with none that confirms the clock. */
  let late = 0
  /** One of them, as a mark to measure their pace by. */
  let mark: { readonly sentAt: number, readonly monotonic: number } | undefined
  /** How far the wall clock is ahead of the sender, as far as that is known. */
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
    if (late >= MOST_LATE || (elapsed >= PACE_MS && advanced >= elapsed / 2 && advanced <= elapsed * 2)) {
      aheadMs = clock.now() - sentAt
      logger.error({ aheadMs, late, advice: 'Set the clock of this machine. What it quarantined can be let out: release it with --force.' }, 'clock ahead of the sender')
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
