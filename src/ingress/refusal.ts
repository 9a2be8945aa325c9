import type { Observer } from '../delivery/observation.js'
import type { Problem } from '../errors/problem.js'
import type { AnswerError } from '../http/app.js'
import type { Listener } from '../http/listener.js'
import { answerProblem, toProblem, type ErrorWords } from '../http/problem-answer.js'

export interface RefusalOptions {
  readonly listener: Pick<Listener, 'mayLog' | 'endAfter'>
  readonly onAnswer?: Observer['webhookAnswered']
  /** Whether the requests came to one of the webhook URLs. */
  readonly toWebhook: boolean
}

const words: ErrorWords = {
  codes: {
    FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'MEDIA_TYPE_UNSUPPORTED', detail: 'Send the body as application/json.' },
    FST_ERR_MAX_PARAM_LENGTH: { code: 'NOT_FOUND', detail: 'The name at the end of the path is too long.' },
    FST_ERR_BAD_URL: { code: 'BAD_REQUEST', detail: 'The path cannot be decoded.' }
  },
  badRequest: 'The request was cut off, or tierhook cannot read it.',
  internal: 'tierhook failed and did not accept the webhook. Its log says why.'
}

/** Makes the function that answers an error with a problem, and logs it if the limits of the log allow. */
export function createRefusal ({ listener, onAnswer, toWebhook }: RefusalOptions): AnswerError {
  return (error, request, reply) => {
    const problem = toProblem(error, words)
    if (listener.mayLog({ code: problem.code, address: request.ip })) {
      const fields = { code: problem.code, status: problem.status, path: request.routeOptions.url ?? null, sourceAddress: request.ip, ms: Math.round(reply.elapsedTime) }
      if (isOurs(problem)) request.log.error({ ...fields, err: problem }, 'webhook not accepted')
      else request.log.warn({ ...fields, detail: problem.message, ...(problem.faults.length > 0 ? { faults: problem.faults } : {}) }, 'webhook refused')
    }
    // Close the connection after a refusal, so that nothing sent behind the refused request is read.
    if (!isOurs(problem)) listener.endAfter(request.raw, reply.raw)
    answerProblem(reply, problem)
    onAnswer?.({
      outcome: 'refused',
      status: problem.status,
      ms: reply.elapsedTime,
      code: problem.code,
      toWebhook,
      sourceAddress: request.ip,
      proven: toWebhook ? request.provenEvent ?? undefined : undefined
    })
  }
}

/** Whether an operator must look into this error. Anyone can cause BODIES_TOO_MANY by sending too much at once, so it does not count. */
function isOurs ({ status, code }: Problem): boolean {
  return status >= 500 && code !== 'BODIES_TOO_MANY'
}
