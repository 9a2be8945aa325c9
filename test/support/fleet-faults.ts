import { cutOff, stopCutOff } from './fleet-network-faults.js'
import { delayCommits, exhaustConnections, holdLock, idleElsewhere, loseDatabase, restartDatabase } from './fleet-database-faults.js'
import { allReady, LEASE_MS, leaderOf, longEnough, msUntilForwarded, type FleetFault } from './fleet-facts.js'
import { killHome, loseHome } from './fleet-file-faults.js'
import { leadToReplica, pauseStandby, promoteStandby } from './fleet-standby-faults.js'
import type { Fleet } from './fleet.js'

/** The leader is killed, and started again after another replica leads. */
export const killLeader: FleetFault = async (fleet) => {
  const leader = await leaderOf(fleet)
  await fleet.replicas[leader]?.kill('SIGKILL')
  const ms = await msUntilForwarded(fleet)
  await fleet.start(leader)
  return { ms, wantedMs: LEASE_MS + 2000 }
}

/** Each replica in turn is stopped gracefully and started again. */
export const rollOver: FleetFault = async (fleet) => {
  let ms = 0
  for (const index of fleet.replicas.keys()) {
    await fleet.replicas[index]?.kill('SIGTERM')
    ms = Math.max(ms, await msUntilForwarded(fleet))
    await fleet.start(index)
  }
  return { ms, wantedMs: 3000 }
}

/** The leader is suspended for longer than its lease, and then continues. */
export const stopLeader: FleetFault = async (fleet, { full }) => {
  const leader = await leaderOf(fleet)
  const stopped = fleet.replicas[leader]
  const stoppedAt = performance.now()
  stopped?.child.kill('SIGSTOP')
  const ms = await msUntilForwarded(fleet)
  const successor = await fleet.leader()
  await longEnough(stoppedAt, full ? 60_000 : 0)
  stopped?.child.kill('SIGCONT')
  await allReady(fleet)
  const { status } = await fleet.post(leader, `ev_continued_${performance.now()}`, 'cust_continued')
  if (status !== 202) fleet.violations.push(`a replica that was frozen answers ${status} after it continues`)
  if (await fleet.leader() !== successor) fleet.violations.push('a replica that was frozen took the lead back')
  return { ms, wantedMs: LEASE_MS + 2000 }
}

/** The same event is sent to all replicas at once, this many times. */
export async function sendEverywhere (fleet: Fleet, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const event = `ev_same_${time}_${Math.round(performance.now())}`
    const answers = await Promise.all([...fleet.replicas.keys()].map(async (index) => await fleet.post(index, event, 'cust_same')))
    const statuses = answers.map(({ status }) => status).sort()
    if (statuses.filter((status) => status === 202).length !== 1 || statuses.some((status) => status > 202) || new Set(answers.map(({ id }) => id)).size !== 1) {
      fleet.violations.push(`${event} was sent to each replica at once, and was answered with ${statuses.join(', ')} with ${new Set(answers.map(({ id }) => id)).size} ids: ${answers.map(({ detail }) => detail).join(' ')}`)
    }
  }
}

const everywhere: FleetFault = async (fleet, { full }) => {
  await sendEverywhere(fleet, full ? 1000 : 100)
  return { ms: await msUntilForwarded(fleet), wantedMs: 3000 }
}

/** Faults for any fleet. */
export const fleetFaults: Readonly<Record<string, FleetFault>> = {
  killLeader, rollOver, stopLeader, restartDatabase, loseDatabase, holdLock, delayCommits, idleElsewhere, exhaustConnections, cutOff, stopCutOff, killHome, loseHome, everywhere
}

/** Faults for a fleet with a synchronous standby. The last one can happen only once. */
export const standbyFaults: Readonly<Record<string, FleetFault>> = { pauseStandby, leadToReplica, promoteStandby }
