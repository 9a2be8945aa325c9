import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from './eventually.js'
import type { Fleet } from './fleet.js'

export interface FaultResult {
  /** The time until an event that was sent after the fault arrived, in milliseconds. */
  readonly ms: number
  /** The longest acceptable time. */
  readonly wantedMs: number
  /** Other measurements. */
  readonly note?: string
}

export interface FaultOptions {
  /** Whether to let the fault last as long as documented, and not just long enough to show its effect. */
  readonly full: boolean
}

/** Causes a fault in a fleet. Broken promises are added to the fleet's violations. The result shows whether recovery took too long. */
export type FleetFault = (fleet: Fleet, options: FaultOptions) => Promise<FaultResult>

export const LEASE_MS = 10_000

/** Returns the time until an event that is sent from now on arrives. */
export async function msUntilForwarded (fleet: Fleet): Promise<number> {
  const startedAt = performance.now()
  const before = fleet.sent.length
  return await eventually(() => {
    const arrived = fleet.sent.slice(before).map(({ event }) => fleet.arrivals.get(event)).find((at) => at !== undefined)
    return arrived === undefined ? undefined : arrived - startedAt
  }, 'a newly sent event to arrive')
}

export async function isReady (fleet: Fleet, index: number): Promise<void> {
  await eventually(async () => await fleet.health(index, 'ready').catch(() => 0) === 200 ? true : undefined, 'a ready replica')
}

export async function allReady (fleet: Fleet): Promise<void> {
  for (const index of fleet.replicas.keys()) await isReady(fleet, index)
}

export async function leaderOf (fleet: Fleet, forwarder?: 'http' | 'file'): Promise<number> {
  return await eventually(async () => await fleet.leader(forwarder), 'a leader')
}

/** Checks a replica without a database: it is live, not ready, and answers 503. */
export async function refusesAll (fleet: Fleet, replicas: Iterable<number> = fleet.replicas.keys()): Promise<void> {
  for (const index of replicas) {
    if (await fleet.health(index, 'live') !== 200) fleet.violations.push('a replica is not live while the database is unreachable')
    if (await fleet.health(index, 'ready') !== 503) fleet.violations.push('a replica is ready although the database is unreachable')
    const { status } = await fleet.post(index, `ev_refused_${Math.round(performance.now())}`, 'cust_refused')
    if (status !== 503) fleet.violations.push(`a replica answers ${status} while its database is unreachable`)
  }
}

/** Returns the longest time without a new delivery at the destination, during the next `ms` milliseconds. */
export async function longestStandstill (fleet: Fleet, ms: number): Promise<number> {
  let longest = 0
  let count = fleet.arrivals.size
  let since = performance.now()
  for (const end = since + ms; performance.now() < end;) {
    await pause(10)
    const now = performance.now()
    longest = Math.max(longest, now - since)
    if (fleet.arrivals.size === count) continue
    count = fleet.arrivals.size
    since = now
  }
  return longest
}

/** Waits until this many milliseconds have passed since `since`. */
export async function longEnough (since: number, ms: number): Promise<void> {
  await pause(Math.max(0, since + ms - performance.now()))
}
