import type { EventEmitter } from 'node:events'
import { Problem } from '../errors/problem.js'
import { addressGroup } from '../http/address-group.js'

export interface WrongTokenLimits {
  /** How long to delay the answers to an address's first wrong tokens, one delay per token, in milliseconds. Later ones are answered 429. */
  readonly delaysMs: readonly number[]
  /** How long until one wrong token is forgotten, in milliseconds. */
  readonly forgiveMs: number
  /** How many answers may be delayed at once. */
  readonly held: number
  /** How many address groups are remembered. */
  readonly addresses: number
}

export interface WrongTokensOptions {
  readonly monotonic: () => number
  readonly limits?: Partial<WrongTokenLimits> | undefined
}

interface WrongToken {
  readonly problem: Problem
  readonly address: string
  /** Emits `close` when the connection closes. */
  readonly response: EventEmitter
}

/**
 * Delays the answers to an address's first wrong tokens, and answers later ones 429. A right token is never delayed, so an attacker cannot lock
 * the operator out, even from the same address.
 */
export interface WrongTokens {
  /** Calls `answer` once: with the problem after a delay, or as soon as the client closes the connection; or with TOKENS_TOO_MANY at once. */
  readonly refuse: (wrong: WrongToken, answer: (problem: Problem) => void) => void
}

const LIMITS: WrongTokenLimits = { delaysMs: [250, 500, 1000, 2000, 2000], forgiveMs: 10_000, held: 50, addresses: 1000 }

export function createWrongTokens ({ monotonic, limits = {} }: WrongTokensOptions): WrongTokens {
  const { delaysMs, forgiveMs, held: mostHeld, addresses: mostAddresses } = { ...LIMITS, ...limits }
  /** Wrong tokens not yet forgotten, by address group. The latest group is last. */
  const counts = new Map<string, { readonly count: number, readonly at: number }>()
  let held = 0

  function countOf (group: string, now: number): number {
    const known = counts.get(group)
    return known === undefined ? 0 : Math.max(0, known.count - (now - known.at) / forgiveMs)
  }

  /** Counts a wrong token. Returns how many came before it, rounded up. The count stops growing after the last delay, so the wait stays bounded. */
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
        detail: `The bearer token is wrong, as were too many before it from this address. Wait ${seconds} s before you try another one. The right token works at any time.`,
        headers: { 'retry-after': String(seconds) }
      }))
    }
  }
}
