import type { ProblemCode } from '../errors/problem.js'
import { mostRetries, retriesAfterMs, retryOffsetMs } from '../voucherify/retry-schedule.js'

/** After so many tries that failed the sender switches the webhook off. */
export const TRIES_ALLOWED = mostRetries
/** How long after the first attempt the last one comes. */
export const TRIES_END_MS = retryOffsetMs(mostRetries)
/** How much earlier than by the schedule a retry may come and still be taken for one. */
const EARLY = 0.8

/** How many tries are used when it is told, the highest first: three quarters, a half, a quarter. */
export const TOLD_AT_TRIES = [TRIES_ALLOWED * 3 / 4, TRIES_ALLOWED / 2, TRIES_ALLOWED / 4] as const

/** How often the sender can have tried, so long after the first time: what comes faster than by its schedule is not its retry. */
export function mostTries (afterMs: number): number {
  return 1 + retriesAfterMs.filter((dueMs) => afterMs >= dueMs * EARLY).length
}

/** What to do about an answer that the sender takes for a failure. */
export function adviceFor (code: ProblemCode): string {
  switch (code) {
    case 'SIGNATURE_WRONG':
    case 'SIGNATURE_MISSING':
      return 'Compare VOUCHERIFY_WEBHOOK_SECRETS with the key in Voucherify\'s Project settings, Webhooks: it may have been rotated.'
    case 'HEADER_WRONG':
      return 'Compare REQUIRED_HEADERS with the headers of the webhook or the distribution at Voucherify.'
    case 'SOURCE_NOT_ALLOWED':
      return 'Voucherify may have new addresses: compare ALLOWED_SOURCES, or set ALLOWED_SOURCES_MODE=monitor.'
    case 'BODY_TOO_LARGE':
      return 'Raise BODY_LIMIT_BYTES.'
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
