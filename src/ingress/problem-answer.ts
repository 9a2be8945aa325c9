import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
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
    ...(problem.status === 422 ? { errors: problem.faults } : {})
  }
}

export function answerProblem (reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).send(problemBody(problem))
}

/** Fastify's own refusals, by its error codes, in our words. Its messages may quote the request; ours don't. */
const translations: Readonly<Record<string, { code: ProblemCode, detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE', detail: 'The body is larger than BODY_LIMIT_BYTES.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'MEDIA_TYPE_UNSUPPORTED', detail: 'Send the body as application/json.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'BAD_REQUEST', detail: 'The body is not as long as Content-Length says.' },
  FST_ERR_BAD_URL: { code: 'BAD_REQUEST', detail: 'The path cannot be decoded.' },
  ECONNRESET: { code: 'BAD_REQUEST', detail: 'The connection closed before the body was there.' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'REQUEST_TIMEOUT', detail: 'The request took too long to arrive.' },
  HPE_HEADER_OVERFLOW: { code: 'HEADERS_TOO_LARGE', detail: 'The request headers are too large.' }
}

/** Any error as a problem: what is not known to be the sender's fault is ours. */
export function toProblem (error: unknown): Problem {
  if (error instanceof Problem) return error
  const { code, statusCode } = error instanceof Error ? error as Error & { code?: unknown, statusCode?: unknown } : {}
  const translation = typeof code === 'string' ? translations[code] : undefined
  if (translation !== undefined) return new Problem(translation.code, { detail: translation.detail, cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new Problem('BAD_REQUEST', { detail: 'The request is not one that this service can read.', cause: error })
  }
  return new Problem('INTERNAL', { detail: 'Something went wrong here. The webhook was not accepted.', cause: error })
}

/** Answers what node's HTTP parser could not read, on the bare socket. */
export function answerClientError (error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const known = error.code !== undefined && error.code in translations
  const problem = known ? toProblem(error) : new Problem('BAD_REQUEST', { detail: 'The request is not HTTP/1.1.', cause: error })
  const body = JSON.stringify(problemBody(problem))
  socket.end([
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}
