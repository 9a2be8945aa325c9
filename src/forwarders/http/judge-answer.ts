import type { Outcome, OutcomeResult } from '../../delivery/forwarder.js'
import type { Answer } from './exchange.js'
import { retryAfterMs } from './retry-after.js'

/** The meaning of an answer: success, failure for now, refusal of this delivery, or permanent failure. */
export type Judgement = 'forwarded' | 'later' | 'refused' | 'permanent'

/** 4xx statuses that depend on the moment, or on a proxy in between (407), and not on the request. */
const PASSING: ReadonlySet<number> = new Set([407, 408, 425, 429])

/** Returns the meaning of an answer. An answer that broke off is no success, because the destination may not have done its work. */
export function judgeAnswer ({ statusCode, brokenBy }: Answer, permanent: ReadonlySet<number>): Judgement {
  if (statusCode >= 200 && statusCode < 300) return brokenBy === undefined ? 'forwarded' : 'later'
  if (permanent.has(statusCode)) return 'permanent'
  return statusCode >= 400 && statusCode < 500 && !PASSING.has(statusCode) ? 'refused' : 'later'
}

export interface OutcomeFacts {
  readonly judgement: Judgement
  /** The text to keep beside the answer's status. */
  readonly text: string | undefined
  /** How often the destination has refused this delivery, this time included. */
  readonly refusals: number
  readonly refusalLimit: number
  readonly retryAfterMaxMs: number
  readonly now: number
}

/** Returns the outcome of an attempt from its answer. */
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

const MAX_LENGTH = 300

/** Returns in words why no answer came. */
export function networkReason (error: unknown): string {
  return words(error).slice(0, MAX_LENGTH)
}

function words (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // If a name has several addresses and none can be reached, Node's error has no message. Only its inner errors have one.
  const inner = error instanceof AggregateError ? [...new Set(error.errors.map(words))].join(', ') : ''
  const message = error.message || inner || error.name
  return error.cause instanceof Error ? `${message}: ${words(error.cause)}` : message
}
