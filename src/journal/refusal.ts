import { Problem } from '../errors/problem.js'
import { storageReason } from '../errors/storage-cause.js'

/** The `retry-after` of a refusal, in seconds. */
const RETRY_AFTER_S = 10

/** The refusal of a webhook that cannot be stored because of this error. */
export function notStored (error: unknown): Problem {
  return refusal(`The webhook cannot be stored: ${storageReason(error)}.`, error)
}

export function refusal (detail: string, cause?: unknown): Problem {
  return new Problem('JOURNAL_UNAVAILABLE', { detail, headers: { 'retry-after': String(RETRY_AFTER_S) }, cause })
}
