import type { EventEmitter } from 'node:events'
import { Problem } from '../errors/problem.js'
import { addressGroup } from '../http/address-group.js'

export interface WrongTokenLimits {
  /** How long the answer to each of the first wrong tokens of an address is held back, in milliseconds. What comes after them is answered 429. */
  readonly delaysMs: readonly number[]
  /** How long it takes for one wrong token to be forgotten, in milliseconds. */
  readonly forgiveMs: number
  /** How many answers may be held back at once. */
  readonly held: number
  /** How many addresses are told apart. */
  readonly addresses: number
}

export interface WrongTokensOptions {
  readonly monotonic: () => number
  readonly limits?: Partial<WrongTokenLimits> | undefined
}

interface WrongToken {
  readonly problem: Problem
  readonly address: string
  /** Tells when its connection is closed. */
  readonly response: EventEmitter
}

/**
 * Answers wrong tokens late, and after some of one address with a 429. A right token has nothing to do with it: so nobody keeps the operator out,
 * not even from the same address.
 */
export interface WrongTokens {
  /** Calls `answer` once: with the problem, later or as soon as the client hangs up; or with another one at once. */
  readonly refuse: (wrong: WrongToken, answer: (problem: Problem) => void) => void
}

const LIMITS: WrongTokenLimits = { delaysMs: [250, 500, 1000, 2000, 2000], forgiveMs: 10_000, held: 50, addresses: 1000 }

export function createWrongTokens ({ monotonic, limits = {} }: WrongTokensOptions): WrongTokens {
  const { delaysMs, forgiveMs, held: mostHeld, addresses: mostAddresses } = { ...LIMITS, ...limits }
  /** The wrong tokens of an address that are not forgotten yet; who came last is last. */
  const counts = new Map<string, { readonly count: number, readonly at: number }>()
  let held = 0

  function countOf (group: string, now: number): number {
    const known = counts.get(group)
    return known === undefined ? 0 : Math.max(0, known.count - (now - known.at) / forgiveMs)
  }

  /** How many there were before this one, one that is partly forgotten included. Beyond the last delay it grows no further: an end has to come in sight. */
  function note (group: string): number {
    const now = monotonic()
    const before = countOf(group, now)
    counts.delete(group)
    counts.set(group, { count: Math.min(before, delaysMs.length - 1) + 1, at: now })
    const oldest = counts.keys().next()
    if (counts.size > mostAddresses && oldest.done !== true) counts.delete(oldest.value)
    return Math.ceil(before)
  }

  function hold ({ problem, response }: WrongToken, delayMs: number, answer: (problem: Problem) => void): void {
    const end = (): void => {
      clearTimeout(timer)
      response.off('close', end)
      held--
      answer(problem)
    }
    const timer = setTimeout(end, delayMs)
    response.once('close', end)
    held++
  }

  return {
    refuse (wrong, answer) {
      const group = addressGroup(wrong.address)
      const delayMs = delaysMs[note(group)]
      if (delayMs !== undefined && held < mostHeld) {
        hold(wrong, delayMs, answer)
        return
      }
      const seconds = Math.max(1, Math.ceil(((countOf(group, monotonic()) - delaysMs.length + 1) * forgiveMs) / 1000))
      answer(new Problem('TOKENS_TOO_MANY', {
        detail: `The bearer token is wrong, and so were too many before it. Wait ${seconds} s before the next one; the right one is taken at any time.`,
        headers: { 'retry-after': String(seconds) }
      }))
    }
  }
}
