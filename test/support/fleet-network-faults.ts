import { setTimeout as pause } from 'node:timers/promises'
import { isReady, LEASE_MS, leaderOf, msUntilForwarded, refusesAll, type FleetFault } from './fleet-facts.js'

/** The leader's network to the database swallows all, in silence; and then it works again, for new connections. */
export const cutOff: FleetFault = async (fleet, { full }) => {
  fleet.allowLateStores()
  const leader = await leaderOf(fleet)
  const network = fleet.networks[leader]
  const cutAt = performance.now()
  network?.cut()
  const ms = await msUntilForwarded(fleet)
  await pause(Math.max(0, cutAt + (full ? 60_000 : 20_000) - performance.now()))
  await refusesAll(fleet, [leader])
  const stoppedMs = fleet.lastFrom(leader) - cutAt
  if (stoppedMs > LEASE_MS) fleet.violations.push(`a replica that is cut off has forwarded for ${Math.round(stoppedMs)} ms`)
  for (const index of fleet.replicas.keys()) {
    if (index !== leader && await fleet.health(index, 'ready') !== 200) fleet.violations.push('a replica is not ready because another one is cut off')
  }
  network?.mend()
  const mendedAt = performance.now()
  await isReady(fleet, leader)
  return { ms, wantedMs: LEASE_MS + 2000, note: `it forwarded for ${Math.round(Math.max(0, stoppedMs))} ms, and was ready ${Math.round(performance.now() - mendedAt)} ms after` }
}
