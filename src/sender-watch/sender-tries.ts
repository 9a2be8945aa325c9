import type { ProblemCode } from '../errors/problem.js'
import { maxRetries, retriesAfterMs, retryOffsetMs } from '../voucherify/retry-schedule.js'

/** After this many failed tries the sender switches the webhook off. */
export const TRIES_ALLOWED = maxRetries
/** The time between the first try and the last one, in milliseconds. */
export const TRIES_END_MS = retryOffsetMs(maxRetries)
/** The share of its scheduled delay after which a request may count as a retry. Retries may come a little early. */
const EARLY = 0.8

/** The numbers of used tries at which an alarm is given, the highest first: three quarters, a half, a quarter. */
export const WARN_AT_TRIES = [TRIES_ALLOWED * 3 / 4, TRIES_ALLOWED / 2, TRIES_ALLOWED / 4] as const

/** Returns how often the sender can have tried at most, this long after the first try. Requests that come earlier are not its retries. */
export function mostTries (afterMs: number): number {
  return 1 + retriesAfterMs.filter((dueMs) => afterMs >= dueMs * EARLY).length
}

/** Returns what to do about an answer that the sender counts as a failure. */
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
      return 'Read the errors of "webhook refused" in the log. INVALID_EVENTS=quarantine accepts signed events and quarantines them; INVALID_EVENTS=forward forwards them.'
    case 'EVENT_UNVALIDATED':
      return 'Set UNVALIDATED_EVENTS to forward or quarantine, or take the event out of the webhook at Voucherify.'
    default:
      return 'Look at "webhook refused" and "webhook not accepted" in the log for the reason.'
  }
}
