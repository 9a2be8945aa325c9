import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { eventually } from './eventually.js'
import type { Fleet } from './fleet.js'
import type { PostgresServer } from './postgres-server.js'

export interface FaultResult {
  /** How long it took until something that was sent afterwards arrived, in milliseconds. */
  readonly ms: number
  /** How long it may take. */
  readonly wantedMs: number
}

/** What happens to a fleet. Whatever breaks a promise is among the fleet's violations, and what takes too long is seen in the result. */
export type FleetFault = (fleet: Fleet, server: PostgresServer) => Promise<FaultResult>

const LEASE_MS = 10_000

/** How long it takes from now until something that is sent from now on arrives. */
export async function msUntilForwarded (fleet: Fleet): Promise<number> {
  const startedAt = performance.now()
  const before = fleet.sent.length
  return await eventually(() => {
    const arrived = fleet.sent.slice(before).map(({ event }) => fleet.arrivals.get(event)).find((at) => at !== undefined)
    return arrived === undefined ? undefined : arrived - startedAt
  }, 'something that was sent and arrived')
}

async function allReady (fleet: Fleet): Promise<void> {
  for (const index of fleet.replicas.keys()) await eventually(async () => await fleet.health(index, 'ready').catch(() => 0) === 200 ? true : undefined, 'a replica that is ready')
}

async function leaderOf (fleet: Fleet): Promise<number> {
  return await eventually(fleet.leader, 'a leader')
}

/** The leader is killed, and started again once another leads. */
export const killLeader: FleetFault = async (fleet) => {
  const leader = await leaderOf(fleet)
  await fleet.replicas[leader]?.kill('SIGKILL')
  const ms = await msUntilForwarded(fleet)
  await fleet.start(leader)
  return { ms, wantedMs: LEASE_MS + 2000 }
}

/** One replica after another is stopped in good order and started anew. */
export const rollOver: FleetFault = async (fleet) => {
  let ms = 0
  for (const index of fleet.replicas.keys()) {
    await fleet.replicas[index]?.kill('SIGTERM')
    ms = Math.max(ms, await msUntilForwarded(fleet))
    await fleet.start(index)
  }
  return { ms, wantedMs: 3000 }
}

/** The leader does nothing for longer than its lease, and goes on. */
export const stopLeader: FleetFault = async (fleet) => {
  const leader = await leaderOf(fleet)
  const stopped = fleet.replicas[leader]
  stopped?.child.kill('SIGSTOP')
  const ms = await msUntilForwarded(fleet)
  const successor = await fleet.leader()
  stopped?.child.kill('SIGCONT')
  await allReady(fleet)
  const { status } = await fleet.post(leader, `ev_continued_${performance.now()}`, 'cust_continued')
  if (status !== 202) fleet.violations.push(`a replica that was stopped and goes on answers ${status}`)
  if (await fleet.leader() !== successor) fleet.violations.push('a replica that was stopped has taken the lead back')
  return { ms, wantedMs: LEASE_MS + 2000 }
}

/** The database crashes and is there again. */
export const restartDatabase: FleetFault = async (fleet, server) => {
  await server.stop('immediate')
  await server.start()
  return { ms: await msUntilForwarded(fleet), wantedMs: 3000 }
}

/** The database is away for longer than a webhook may wait. */
export const loseDatabase: FleetFault = async (fleet, server) => {
  await server.stop('immediate')
  await pause(7000)
  for (const index of fleet.replicas.keys()) {
    if (await fleet.health(index, 'live') !== 200) fleet.violations.push('a replica is not live because the database is away')
    if (await fleet.health(index, 'ready') !== 503) fleet.violations.push('a replica is ready though the database is away')
  }
  await server.start()
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000 }
}

/** Somebody holds what every append waits for. */
export const holdLock: FleetFault = async (fleet, server) => {
  const client = new Client({ connectionString: server.url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('BEGIN; LOCK TABLE tierhook.counters')
  await pause(7000)
  await client.end()
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000 }
}

/** The same event comes to all replicas at once, so many times. */
export async function sendEverywhere (fleet: Fleet, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const event = `ev_same_${time}_${Math.round(performance.now())}`
    const answers = await Promise.all([...fleet.replicas.keys()].map(async (index) => await fleet.post(index, event, 'cust_same')))
    const statuses = answers.map(({ status }) => status).sort()
    if (statuses.filter((status) => status === 202).length !== 1 || statuses.some((status) => status > 202) || new Set(answers.map(({ id }) => id)).size !== 1) {
      fleet.violations.push(`${event} came to each replica at once, and was answered ${statuses.join(', ')} with ${new Set(answers.map(({ id }) => id)).size} ids`)
    }
  }
}

export const fleetFaults: Readonly<Record<string, FleetFault>> = { killLeader, rollOver, stopLeader, restartDatabase, loseDatabase, holdLock }
