import { seeded } from '../crash-rounds.js'

export interface Random {
  /** Returns a number from 0 to less than 1. */
  readonly next: () => number
  /** Returns a whole number from 0 to less than the limit. */
  readonly below: (limit: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(choices: readonly [T, ...T[]]) => T
  readonly bytes: (length: number) => Buffer
}

/** Makes the random choices of one part of a run. The same seed and number always give the same choices, whatever runs beside it. */
export function randomFor (seed: number, number: number): Random {
  const next = seeded(Math.imul(seed, 0x9E3779B1) ^ Math.imul(number + 1, 0x85EBCA6B))
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256)))
  }
}
