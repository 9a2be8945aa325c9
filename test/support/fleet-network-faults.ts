import { setTimeout as pause } from 'node:timers/promises'
import { isReady, LEASE_MS, leaderOf, msUntilForwarded, refusesAll, type FleetFault } from './fleet-facts.js'

/** SHUTDOWN_TIMEOUT_MS, the second after which the process is ended in any case, and a second for the test, in milliseconds. */
const STOP_MS = 10_000

/** A replica without a network is stopped gracefully. It must end in time, although it gets no answers. */
export const stopCutOff: FleetFault = async (fleet) => {
  fleet.allowLateStores()
  const leader = await leaderOf(fleet)
  fleet.networks[leader]?.cut()
  const startedAt = performance.now()
  const stopped = fleet.replicas[leader]
  const code = await stopped?.kill('SIGTERM')
  const tookMs = performance.now() - startedAt
  if (tookMs > STOP_MS) fleet.violations.push(`a replica that was cut off and then stopped ended with ${code} after ${Math.round(tookMs)} ms`)
  const ms = await msUntilForwarded(fleet)
  fleet.networks[leader]?.mend()
  await fleet.start(leader)
  return { ms, wantedMs: LEASE_MS + 2000, note: `it ended after ${Math.round(tookMs)} ms: ${/"msg":"(stopped|stop timed out)"/.exec(stopped?.log() ?? '')?.[1] ?? 'at once'}` }
}

/** The leader's network to the database swallows everything silently, and then works again for new connections. */
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
  if (stoppedMs > LEASE_MS) fleet.violations.push(`a replica that was cut off still forwarded for ${Math.round(stoppedMs)} ms`)
  for (const index of fleet.replicas.keys()) {
    if (index !== leader && await fleet.health(index, 'ready') !== 200) fleet.violations.push('a replica is not ready, although only another one is cut off')
  }
  network?.mend()
  const mendedAt = performance.now()
  await isReady(fleet, leader)
  return { ms, wantedMs: LEASE_MS + 2000, note: `it forwarded for ${Math.round(Math.max(0, stoppedMs))} ms, and was ready ${Math.round(performance.now() - mendedAt)} ms after` }
}
