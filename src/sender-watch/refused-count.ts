import type { ProblemCode } from '../errors/problem.js'
import type { Observations } from './observations.js'
import { TRIES_END_MS } from './sender-tries.js'

/** How much the clocks of replicas may differ, in milliseconds. */
const AHEAD_MS = 3_600_000

/** A number of refused requests. Times are in milliseconds since the epoch. */
export interface Count {
  count: number
  readonly firstAt: number
  lastAt: number
  lastCode: ProblemCode
}

type KeptCount = Omit<Observations['unproven']['addresses'][number], 'address'>

/** Returns the count after the first refusal. */
export function begin (lastCode: ProblemCode, time: number): Count {
  return { count: 1, firstAt: time, lastAt: time, lastCode }
}

/** Counts one more refusal, in place. */
export function countIn (counted: Count, lastCode: ProblemCode, time: number): Count {
  counted.count++
  counted.lastAt = time
  counted.lastCode = lastCode
  return counted
}

export function addTo<Key> (counts: Map<Key, Count>, key: Key, count: Count): void {
  const present = counts.get(key)
  counts.set(key, present === undefined ? count : merged(present, count))
}

export function merged (one: Count, other: Count): Count {
  const later = one.lastAt >= other.lastAt ? one : other
  return { count: one.count + other.count, firstAt: Math.min(one.firstAt, other.firstAt), lastAt: later.lastAt, lastCode: later.lastCode }
}

export function asCount ({ lastCode, ...count }: KeptCount): Count {
  return { ...count, lastCode: lastCode as ProblemCode }
}

/** Whether a count is out of date: even the sender would have given up by now, or a clock that was ahead began the count. */
export function isOver ({ firstAt, lastAt }: Count, time: number): boolean {
  return time - lastAt > TRIES_END_MS || firstAt - time > AHEAD_MS
}
