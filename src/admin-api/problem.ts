import { StoreError } from '../delivery/operator.js'
import { Problem } from '../errors/problem.js'
import { toProblem, type ErrorWords } from '../http/problem-answer.js'

const words: ErrorWords = {
  codes: {
    FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE', detail: 'The body is too large: name fewer deliveries at once.' },
    FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'MEDIA_TYPE_UNSUPPORTED', detail: 'Send the request as application/json.' },
    FST_ERR_CTP_INVALID_JSON_BODY: { code: 'BODY_NOT_JSON', detail: 'The body is not JSON.' },
    FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'BODY_NOT_JSON', detail: 'The body is empty: send at least {}.' },
    FST_ERR_MAX_PARAM_LENGTH: { code: 'NOT_FOUND', detail: 'The name in the path is too long.' },
    FST_ERR_BAD_URL: { code: 'BAD_REQUEST', detail: 'The path cannot be decoded.' }
  },
  badRequest: 'The request was cut off, or tierhook cannot read it.',
  internal: 'tierhook failed. Its log says why.'
}

/** Turns any error into a problem for the operator. An error of the store keeps its message, which says why and what to do. */
export function toOperatorProblem (error: unknown): Problem {
  if (error instanceof StoreError) {
    // The change may have been made, so the operator must look before asking for it again.
    return new Problem('STORE_UNAVAILABLE', { detail: error.message, headers: error.code === 'STORE_UNSURE' ? {} : { 'retry-after': '5' }, cause: error })
  }
  return toProblem(error, words)
}
