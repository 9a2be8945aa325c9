import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { allReady, longestStandstill, msUntilForwarded, refusesAll, type FleetFault } from './fleet-facts.js'
import type { Fleet } from './fleet.js'

async function connect (fleet: Fleet, database = 'postgres'): Promise<Client> {
  const client = new Client({ connectionString: fleet.primary().url.replace(/postgres$/, database), connectionTimeoutMillis: 2000 })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** The database crashes and is started again. */
export const restartDatabase: FleetFault = async (fleet) => {
  await fleet.primary().stop('immediate')
  await fleet.primary().start()
  return { ms: await msUntilForwarded(fleet), wantedMs: 3000 }
}

/** The database is away for longer than a webhook may wait. */
export const loseDatabase: FleetFault = async (fleet, { full }) => {
  fleet.allowLateStores()
  await fleet.primary().stop('immediate')
  await pause(full ? 60_000 : 7000)
  await refusesAll(fleet)
  await fleet.primary().start()
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000 }
}

/** Another client holds a lock that every append needs. */
export const holdLock: FleetFault = async (fleet) => {
  const client = await connect(fleet)
  await client.query('BEGIN; LOCK TABLE tierhook.counters')
  await pause(7000)
  await client.end()
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000 }
}

/** Each commit waits for a tenth of a second, so that other commits can join it. */
export const delayCommits: FleetFault = async (fleet, { full }) => {
  for (const setting of ['commit_delay = 100000', 'commit_siblings = 0']) await fleet.query(`ALTER SYSTEM SET ${setting}`)
  await fleet.query('SELECT pg_reload_conf()')
  const longest = await longestStandstill(fleet, full ? 60_000 : 10_000)
  const { ms: answeredMs } = await fleet.post(0, `ev_delayed_${Math.round(performance.now())}`, 'cust_delayed')
  await fleet.query('ALTER SYSTEM RESET ALL')
  await fleet.query('SELECT pg_reload_conf()')
  if (longest > 3000) fleet.violations.push(`with delayed commits, no delivery was forwarded for ${Math.round(longest)} ms`)
  return { ms: await msUntilForwarded(fleet), wantedMs: 3000, note: `longest standstill ${Math.round(longest)} ms, an answer after ${Math.round(answeredMs)} ms` }
}

/** A transaction in another database stays open, and with it the server's oldest snapshot. */
export const idleElsewhere: FleetFault = async (fleet, { full }) => {
  await fleet.query('CREATE DATABASE elsewhere')
  const client = await connect(fleet, 'elsewhere')
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE t (); SELECT pg_current_xact_id()')
  const longest = await longestStandstill(fleet, full ? 600_000 : 15_000)
  await client.end()
  await fleet.query('DROP DATABASE elsewhere WITH (FORCE)')
  if (longest > 3000) fleet.violations.push(`with an idle transaction open, no delivery was forwarded for ${Math.round(longest)} ms`)
  return { ms: await msUntilForwarded(fleet), wantedMs: 3000, note: `longest standstill ${Math.round(longest)} ms` }
}

/** Other clients take every connection of the server, and tierhook's connections are ended. */
export const exhaustConnections: FleetFault = async (fleet, { full }) => {
  // A connection may be ended between a commit and its answer, and there is no other one to ask in time.
  fleet.allowLateStores()
  const holders: Client[] = []
  const take = async (): Promise<number> => {
    const made = await Promise.all(Array.from({ length: 20 }, async () => await connect(fleet).catch(() => undefined)))
    const got = made.filter((client) => client !== undefined)
    return holders.push(...got) && got.length
  }
  const lose = async (): Promise<number> => {
    const result = await holders[0]?.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tierhook'")
    return result?.rowCount ?? 0
  }
  while (await take() > 0 || await lose() > 0);
  await pause(full ? 60_000 : 7000)
  await refusesAll(fleet)
  const { detail } = await fleet.post(0, `ev_exhausted_${Math.round(performance.now())}`, 'cust_exhausted')
  if (detail?.includes('takes no more connections') !== true) fleet.violations.push(`a database without free connections is reported as ${detail}`)
  await Promise.all(holders.map(async (client) => { await client.end() }))
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000, note: `${holders.length} connections were taken` }
}
