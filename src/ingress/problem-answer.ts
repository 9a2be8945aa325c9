import type { FastifyReply } from 'fastify'
import { Problem, type ProblemCode } from '../errors.js'

export const PROBLEM_TYPE = 'application/problem+json'

/** The body of an RFC 9457 answer. Nothing of the request is in it. */
export function problemBody (problem: Problem): Record<string, unknown> {
  return {
    type: `urn:tierhook:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(problem.status === 422 || problem.faults.length > 0 ? { errors: problem.faults } : {})
  }
}

export function answerProblem (reply: FastifyReply, problem: Problem): FastifyReply {
  // RFC 9110, section 15.5.2: a 401 names a scheme. No registered one fits, so it is named for what is missing.
  if (problem.status === 401) reply.header('www-authenticate', 'Voucherify-Signature')
  // With a serializer of its own, Fastify adds no charset to the type, which knows none.
  return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problemBody(problem))
}

/** Fastify's own refusals, by its error codes, in our words. Its messages may quote the request; ours don't. */
const translations: Readonly<Record<string, { code: ProblemCode, detail: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'MEDIA_TYPE_UNSUPPORTED', detail: 'Send the body as application/json.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'NOT_FOUND', detail: 'The name at the end of the path is too long.' },
  FST_ERR_BAD_URL: { code: 'BAD_REQUEST', detail: 'The path cannot be decoded.' }
}

/** Any error as a problem: what is not known to be the sender's fault is ours. */
export function toProblem (error: unknown): Problem {
  if (error instanceof Problem) return error
  const { code, statusCode } = error instanceof Error ? error as Error & { code?: unknown, statusCode?: unknown } : {}
  const translation = typeof code === 'string' ? translations[code] : undefined
  if (translation !== undefined) return new Problem(translation.code, { detail: translation.detail, cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new Problem('BAD_REQUEST', { detail: 'The request broke off, or is not one that this service can read.', cause: error })
  }
  return new Problem('INTERNAL', { detail: 'Something went wrong here. The webhook was not accepted.', cause: error })
}
