import { LEASE_MS, leaderOf, msUntilForwarded, type FleetFault } from './fleet-facts.js'
import { eventually } from './eventually.js'
import type { Fleet } from './fleet.js'

/** Returns the time until the file's home replica continues to write it. */
async function msUntilWritten (fleet: Fleet): Promise<number> {
  const startedAt = performance.now()
  const [before] = await fleet.query<{ cursor: number }>("SELECT cursor::float FROM {s}.forwarders WHERE name = 'file'")
  await eventually(async () => {
    const [now] = await fleet.query<{ cursor: number }>("SELECT cursor::float FROM {s}.forwarders WHERE name = 'file'")
    return (now?.cursor ?? 0) > (before?.cursor ?? 0) ? true : undefined
  }, 'the event file to be written')
  return performance.now() - startedAt
}

/** The only replica that writes the file is killed, and started again at once. */
export const killHome: FleetFault = async (fleet) => {
  const home = await leaderOf(fleet, 'file')
  await fleet.replicas[home]?.kill('SIGKILL')
  await fleet.start(home)
  return { ms: await msUntilWritten(fleet), wantedMs: LEASE_MS + 2000 }
}

/** That replica stays away for longer than its lease. The other replicas report this, and the other forwarder continues. */
export const loseHome: FleetFault = async (fleet) => {
  const home = await leaderOf(fleet, 'file')
  await fleet.replicas[home]?.kill('SIGKILL')
  const ms = await msUntilForwarded(fleet)
  const other = (home + 1) % fleet.replicas.length
  const shown = async (path: string, what: RegExp): Promise<void> => {
    await eventually(async () => what.test(await fleet.ask(other, path)) ? true : undefined, `the missing home to be reported at ${path}`).catch((error: unknown) => { fleet.violations.push(String(error)) })
  }
  await shown('/api/forwarders', new RegExp(`"name":"file"[^}]*"leader":null,"home":"replica-${home}"`))
  await shown('/api/status', new RegExp(`file runs on no replica: its home replica-${home} is away`))
  await shown('/metrics', /^tierhook_leads\{forwarder="file"\} 0$/m)
  await fleet.start(home)
  return { ms, wantedMs: LEASE_MS + 2000, note: `the file went on ${Math.round(await msUntilWritten(fleet))} ms after its home was back` }
}
