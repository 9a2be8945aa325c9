import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from './eventually.js'
import type { Fleet } from './fleet.js'

export interface FaultResult {
  /** How long it took until something that was sent afterwards arrived, in milliseconds. */
  readonly ms: number
  /** How long it may take. */
  readonly wantedMs: number
  /** What else was measured. */
  readonly note?: string
}

export interface FaultOptions {
  /** As long as the table of faults asks for, and not as short as shows it. */
  readonly full: boolean
}

/** What happens to a fleet. Whatever breaks a promise is among the fleet's violations, and what takes too long is seen in the result. */
export type FleetFault = (fleet: Fleet, options: FaultOptions) => Promise<FaultResult>

export const LEASE_MS = 10_000

/** How long it takes from now until something that is sent from now on arrives. */
export async function msUntilForwarded (fleet: Fleet): Promise<number> {
  const startedAt = performance.now()
  const before = fleet.sent.length
  return await eventually(() => {
    const arrived = fleet.sent.slice(before).map(({ event }) => fleet.arrivals.get(event)).find((at) => at !== undefined)
    return arrived === undefined ? undefined : arrived - startedAt
  }, 'something that was sent and arrived')
}

export async function isReady (fleet: Fleet, index: number): Promise<void> {
  await eventually(async () => await fleet.health(index, 'ready').catch(() => 0) === 200 ? true : undefined, 'a replica that is ready')
}

export async function allReady (fleet: Fleet): Promise<void> {
  for (const index of fleet.replicas.keys()) await isReady(fleet, index)
}

export async function leaderOf (fleet: Fleet, forwarder?: 'http' | 'file'): Promise<number> {
  return await eventually(async () => await fleet.leader(forwarder), 'a leader')
}

/** What a replica is where its database is away: live, not ready, and it answers 503. */
export async function refusesAll (fleet: Fleet, replicas: Iterable<number> = fleet.replicas.keys()): Promise<void> {
  for (const index of replicas) {
    if (await fleet.health(index, 'live') !== 200) fleet.violations.push('a replica is not live because the database is away')
    if (await fleet.health(index, 'ready') !== 503) fleet.violations.push('a replica is ready though the database is away')
    const { status } = await fleet.post(index, `ev_refused_${Math.round(performance.now())}`, 'cust_refused')
    if (status !== 503) fleet.violations.push(`a replica whose database is away answers ${status}`)
  }
}

/** For how long deliveries stood still at most, while something lasts: looked at by what arrives at the destination. */
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

/** Waits until so much time has passed since then, in milliseconds. */
export async function longEnough (since: number, ms: number): Promise<void> {
  await pause(Math.max(0, since + ms - performance.now()))
}
