import { hash as digest } from 'node:crypto'

export interface SampleOptions {
  /** Which sample, from 0: the same index gives the same sample. */
  readonly index: number
  /** The time that the samples' own times count back from. */
  readonly now: Date
  /** Another seed gives other ids and values; empty where absent. */
  readonly seed?: string
}

/** Where a sample's values come from: nothing is random, so that a sample can be made again. */
export interface Recipe {
  readonly index: number
  /** An id of 24 hexadecimal digits under a prefix. What it depends on is the seed and the rest of the arguments. */
  id (prefix: string, ...of: readonly (string | number)[]): string
  /** A whole number from 0 up to and without `below`, for this index. */
  number (label: string, below: number): number
  /** One of the choices, for this index. */
  pick<T> (label: string, first: T, ...others: readonly T[]): T
  /** ISO 8601, this many days before now. */
  daysAgo (days: number): string
}

const DAY_MS = 86_400_000

/** The recipe of one sample. */
export function createRecipe ({ index, now, seed = '' }: SampleOptions): Recipe {
  const hash = (...of: readonly (string | number)[]) => digest('sha256', JSON.stringify([seed, ...of]), 'buffer')
  const number = (label: string, below: number) => hash('number', label, index).readUInt32BE() % below
  return {
    index,
    id: (prefix, ...of) => `${prefix}${hash('id', prefix, ...of).toString('hex', 0, 12)}`,
    number,
    pick: (label, first, ...others) => others[number(label, others.length + 1) - 1] ?? first,
    daysAgo: days => new Date(now.getTime() - days * DAY_MS).toISOString()
  }
}
