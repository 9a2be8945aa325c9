import { StoreError } from '../delivery/operator.js'
import { Problem, type ProblemCode } from '../errors.js'

/** Fastify's own refusals, by its error codes, in our words. */
const translations: Readonly<Record<string, { code: ProblemCode, detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE', detail: 'The body is too large: name fewer deliveries at once.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'MEDIA_TYPE_UNSUPPORTED', detail: 'Send the request as application/json.' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'BODY_NOT_JSON', detail: 'The body is not JSON.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'BODY_NOT_JSON', detail: 'The body is empty: send at least {}.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'NOT_FOUND', detail: 'The name in the path is too long.' },
  FST_ERR_BAD_URL: { code: 'BAD_REQUEST', detail: 'The path cannot be decoded.' }
}

/** Any error as a problem for the operator: a store that can't be used says why, and what to do. */
export function toOperatorProblem (error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreError) return new Problem('STORE_UNAVAILABLE', { detail: error.message, headers: { 'retry-after': '5' }, cause: error })
  const { code, statusCode } = error instanceof Error ? error as Error & { code?: unknown, statusCode?: unknown } : {}
  const translation = typeof code === 'string' ? translations[code] : undefined
  if (translation !== undefined) return new Problem(translation.code, { detail: translation.detail, cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return new Problem('BAD_REQUEST', { detail: 'The request broke off, or is not one that can be read.', cause: error })
  return new Problem('INTERNAL', { detail: 'Something went wrong here; the log says what.', cause: error })
}
