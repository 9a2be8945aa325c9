import { Type } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import { Problem, problems, type ProblemCode } from '../errors/problem.js'
import { wellFormedJson } from '../voucherify/readable-json.js'

export const PROBLEM_TYPE = 'application/problem+json'

/** Problem details (RFC 9457). */
export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'Identifies the kind of problem.' }),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String(),
  code: Type.Union(allCodes().map((code) => Type.Literal(code)), { description: 'A stable code for programs to match.' }),
  errors: Type.Optional(Type.Array(Type.Object({
    pointer: Type.String({ description: 'A JSON pointer (RFC 6901) from the root of the body.' }),
    message: Type.String()
  }, { additionalProperties: false }), { description: 'Each way in which the body differs from its schema.' }))
}, { $id: 'Problem', additionalProperties: false })

function allCodes (): ProblemCode[] {
  return Object.keys(problems) as ProblemCode[]
}

/** The error answers that every route may send. */
export const answerProblems = { '4xx': ProblemSchema, '5xx': ProblemSchema }

/** Makes the body of an RFC 9457 answer. It contains nothing of the request. */
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
  // A 401 must name a scheme (RFC 9110, section 15.5.2). No registered scheme fits, so it names the missing header.
  if (problem.status === 401) reply.header('www-authenticate', 'Voucherify-Signature')
  // With a custom serializer Fastify does not add a charset, which this media type does not have.
  return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).serializer((body) => wellFormedJson(JSON.stringify(body))).send(problemBody(problem))
}

/** Our own texts for errors that are not problems. Fastify's messages may quote the request. */
export interface ErrorWords {
  /** By Fastify's error codes. */
  readonly codes: Readonly<Record<string, { readonly code: ProblemCode, readonly detail: string }>>
  /** For any other error that is the client's fault. */
  readonly badRequest: string
  readonly internal: string
}

/** Converts any error to a problem. An error that is not known to be the client's fault becomes a 500. */
export function toProblem (error: unknown, { codes, badRequest, internal }: ErrorWords): Problem {
  if (error instanceof Problem) return error
  const { code, statusCode } = error instanceof Error ? error as Error & { code?: unknown, statusCode?: unknown } : {}
  const known = typeof code === 'string' ? codes[code] : undefined
  if (known !== undefined) return new Problem(known.code, { detail: known.detail, cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return new Problem('BAD_REQUEST', { detail: badRequest, cause: error })
  return new Problem('INTERNAL', { detail: internal, cause: error })
}
