import { Problem } from '../errors/problem.js'
import { storageReason } from '../errors/storage-cause.js'

/** What a refused sender is told to wait, in seconds. */
const RETRY_AFTER_S = 10

/** That a webhook cannot be stored, by the error that says why. */
export function notStored (error: unknown): Problem {
  return refusal(`The webhook cannot be stored: ${storageReason(error)}.`, error)
}

export function refusal (detail: string, cause?: unknown): Problem {
  return new Problem('JOURNAL_UNAVAILABLE', { detail, headers: { 'retry-after': String(RETRY_AFTER_S) }, cause })
}
