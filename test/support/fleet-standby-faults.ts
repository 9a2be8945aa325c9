import { setTimeout as pause } from 'node:timers/promises'
import { allReady, longEnough, msUntilForwarded, refusesAll, type FleetFault } from './fleet-facts.js'
import type { Fleet } from './fleet.js'
import type { PostgresServer } from './postgres-server.js'

/** How long an earlier answer may be in transit, in milliseconds. */
const ON_ITS_WAY_MS = 500

function standbyOf ({ standby }: Fleet): PostgresServer {
  if (standby === undefined) throw new Error('This fleet has no standby')
  return standby
}

/** The standby that every commit waits for is suspended for a while. */
export const pauseStandby: FleetFault = async (fleet, { full }) => {
  fleet.allowLateStores()
  const goOn = await standbyOf(fleet).freeze()
  const frozenAt = performance.now()
  try {
    await longEnough(frozenAt, full ? 60_000 : 15_000)
    await refusesAll(fleet)
    const acceptedMs = fleet.lastAccepted() - frozenAt
    if (acceptedMs > ON_ITS_WAY_MS) fleet.violations.push(`an event was accepted ${Math.round(acceptedMs)} ms after its standby had stopped`)
  } finally {
    goOn()
  }
  const [waiting] = await fleet.query<{ n: number }>("SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'tierhook'")
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000, note: `tierhook had ${waiting?.n} connections at its end` }
}

/** The database's name leads to a read replica for a while, and then back. The read replica itself continues as before. */
export const leadToReplica: FleetFault = async (fleet) => {
  lead(fleet, standbyOf(fleet))
  await pause(7000)
  await refusesAll(fleet)
  for (const network of fleet.networks) network.leadTo(fleet.primary().port)
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  return { ms, wantedMs: 5000 }
}

/** The server is lost for good, and its standby replaces it. */
export const promoteStandby: FleetFault = async (fleet) => {
  fleet.allowLateStores()
  const standby = standbyOf(fleet)
  const before = await fleet.query<{ id: string }>('SELECT id FROM {s}.deliveries')
  await fleet.primary().stop('immediate')
  lead(fleet, standby)
  await pause(2000)
  await standby.query('SELECT pg_promote()')
  fleet.setPrimary(standby)
  const ms = await msUntilForwarded(fleet)
  await allReady(fleet)
  const after = new Set((await fleet.query<{ id: string }>('SELECT id FROM {s}.deliveries')).map(({ id }) => id))
  const lost = before.filter(({ id }) => !after.has(id))
  if (lost.length > 0) fleet.violations.push(`${lost.length} deliveries were lost in the promotion`)
  return { ms, wantedMs: 5000 }
}

function lead (fleet: Fleet, server: PostgresServer): void {
  for (const network of fleet.networks) {
    network.leadTo(server.port)
    network.drop()
  }
}
