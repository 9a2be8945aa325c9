import type { Outcome, OutcomeResult } from '../../delivery/forwarder.js'
import type { Answer } from './exchange.js'
import { retryAfterMs } from './retry-after.js'

/** What an answer means: done, not now, not this one, never. */
export type Judgement = 'forwarded' | 'later' | 'refused' | 'permanent'

/** Statuses of the 4xx that speak of the moment, or of a proxy on the way (407), and not of the request. */
const PASSING: ReadonlySet<number> = new Set([407, 408, 425, 429])

/** What an answer means. A success that broke off is none: what it belonged to may not have happened. */
export function judgeAnswer ({ statusCode, brokenBy }: Answer, permanent: ReadonlySet<number>): Judgement {
  if (statusCode >= 200 && statusCode < 300) return brokenBy === undefined ? 'forwarded' : 'later'
  if (permanent.has(statusCode)) return 'permanent'
  return statusCode >= 400 && statusCode < 500 && !PASSING.has(statusCode) ? 'refused' : 'later'
}

export interface OutcomeFacts {
  readonly judgement: Judgement
  /** What is kept of the answer beside its status. */
  readonly text: string | undefined
  /** How often this delivery has been refused by now. */
  readonly refusals: number
  readonly refusalLimit: number
  readonly retryAfterMaxMs: number
  readonly now: number
}

/** What becomes of the attempt. */
export function outcomeOf (answer: Answer, facts: OutcomeFacts): Outcome {
  const result = resultOf(answer, facts)
  return facts.text === undefined ? result : { ...result, answer: facts.text }
}

function resultOf (answer: Answer, { judgement, refusals, refusalLimit, retryAfterMaxMs, now }: OutcomeFacts): OutcomeResult {
  const detail = `status ${answer.statusCode}`
  switch (judgement) {
    case 'forwarded':
      return { status: 'forwarded', detail }
    case 'permanent':
      return { status: 'dead', reason: detail }
    case 'refused':
    case 'later': {
      if (judgement === 'refused' && refusals >= refusalLimit) return { status: 'dead', reason: `refused ${refusals} times: ${detail}` }
      const reason = answer.brokenBy === undefined ? detail : `${detail} (broke off: ${networkReason(answer.brokenBy)})`
      const afterMs = retryAfterMs(answer.headers, now)
      return { status: 'retry', reason, ...(afterMs === undefined ? {} : { afterMs: Math.min(afterMs, retryAfterMaxMs) }) }
    }
  }
}

const LONGEST = 300

/** Why no answer came, in words. */
export function networkReason (error: unknown): string {
  return words(error).slice(0, LONGEST)
}

function words (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Where a name has several addresses and none can be reached, Node says nothing itself, only of each.
  const inner = error instanceof AggregateError ? [...new Set(error.errors.map(words))].join(', ') : ''
  const message = error.message || inner || error.name
  return error.cause instanceof Error ? `${message}: ${words(error.cause)}` : message
}
