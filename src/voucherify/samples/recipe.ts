import { hash as digest } from 'node:crypto'

export interface SampleOptions {
  /** The number of the sample, from 0. The same index gives the same sample. */
  readonly index: number
  /** The present time. All times in samples lie relative to it. */
  readonly now: Date
  /** Another seed gives other ids and values; empty if absent. */
  readonly seed?: string
}

/** The source of a sample's values. Nothing is random, so a sample can be made again. */
export interface Recipe {
  readonly index: number
  /** Returns a prefix and 24 hexadecimal digits, which depend on the seed and all arguments. */
  id (prefix: string, ...of: readonly (string | number)[]): string
  /** Returns a whole number from 0 to less than `below`, for this index. */
  number (label: string, below: number): number
  /** Returns one of the choices, for this index. */
  pick<T> (label: string, first: T, ...others: readonly T[]): T
  /** Returns the time this many days before now, in ISO 8601. */
  daysAgo (days: number): string
}

const DAY_MS = 86_400_000

/** Makes the recipe of one sample. */
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
