import { TypeCompiler } from '@sinclair/typebox/compiler'
import { ProblemSchema } from '../../../src/http/problem-answer.js'
import { AcceptedSchema } from '../../../src/ingress/webhook-schema.js'
import { PROCESS_SECRET } from '../service-process.js'
import type { WireAnswer } from './answer-stream.js'
import { CANARY, PATH_CANARY } from './canaries.js'

const accepted = TypeCompiler.Compile(AcceptedSchema)
const problem = TypeCompiler.Compile(ProblemSchema)

/** Returns what is wrong with an answer, whatever the request was; `undefined` if nothing is. */
export function faultOf ({ status, contentType, head, body }: WireAnswer, method: string, health: boolean): string | undefined {
  const whole = `${head}\n${body}`
  if (status >= 500 && status !== 503) return `answered ${status}`
  for (const canary of [CANARY, PATH_CANARY, PROCESS_SECRET]) if (whole.includes(canary)) return 'the answer echoes the request or tells the secret'
  if (method === 'HEAD') return undefined
  const value = parsed(body)
  if (status >= 400) {
    if (contentType !== 'application/problem+json') return `the type of a ${status} is ${contentType}`
    return problem.Check(value) && value.status === status ? undefined : `a ${status} without a problem: ${body}`
  }
  if (!contentType.startsWith('application/json')) return `the type of a ${status} is ${contentType}`
  if (health) return /^\{"status":"(?:live|ready)"\}$/.test(body) ? undefined : `health is ${body}`
  return accepted.Check(value) ? undefined : `a ${status} that accepts nothing: ${body}`
}

/** Returns the id of the delivery that an answer acknowledges, if the delivery will be forwarded. */
export function acknowledgedBy ({ status, body }: WireAnswer): string | undefined {
  const value = status < 300 ? parsed(body) : undefined
  return accepted.Check(value) && value.verdict !== 'invalid' ? value.id : undefined
}

function parsed (body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // The caller reports it if it expected JSON.
    return undefined
  }
}
