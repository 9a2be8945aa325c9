import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startFleet, type Fleet } from '../support/fleet.js'
import { msUntilForwarded, type FleetFault } from '../support/fleet-facts.js'
import { fleetFaults, sendEverywhere, standbyFaults } from '../support/fleet-faults.js'
import { randomOf } from '../support/fleet-sender.js'
import { noPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js'

// npm run fleet -- [--minutes N] [--seed S] [--faults a,b] [--times N] [--full]: three replicas on a real PostgreSQL under load, with one fault after another,
// chosen by the seed; then everything is looked for everywhere. The same seed makes the same choices, though not the same moments. At the end comes a fleet
// whose database has a synchronous standby, and its own faults. --faults names those that are wanted instead, so many times each; --full makes each last long.
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, faults: { type: 'string' }, times: { type: 'string', default: '1' }, full: { type: 'boolean', default: false } }
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const [minutes, times] = [Number(values.minutes), Number(values.times)]
if (!(seed >= 0) || !(minutes > 0) || !(times > 0)) throw new Error('--minutes, --seed and --times are numbers')
if (noPostgres !== false) throw new Error(noPostgres)
const named = values.faults?.split(',')
const unknown = named?.find((name) => !(name in fleetFaults) && !(name in standbyFaults))
if (unknown !== undefined) throw new Error(`There is no fault ${unknown}: name of ${Object.keys({ ...fleetFaults, ...standbyFaults }).join(', ')}`)

const ends: Array<() => unknown> = []
const teardown = (end: () => unknown): void => { ends.unshift(end) }

async function run (withStandby: boolean, choose: (fleet: Fleet) => Iterable<readonly [string, FleetFault]>): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-fleet-'))
  console.log(`seed ${seed}, data folders in ${folder}`)
  const server = await startPostgres({ teardown }, { settings: [] })
  const standby: PostgresServer | undefined = withStandby ? await startPostgres({ teardown }, { settings: [], standbyOf: server }) : undefined
  if (withStandby) for (const text of ["ALTER SYSTEM SET synchronous_standby_names = 'standby'", 'SELECT pg_reload_conf()']) await server.query(text)
  const fleet = await startFleet({ teardown, testdir: () => folder }, { server, ...standby === undefined ? {} : { standby }, replicas: 3, seed })
  await msUntilForwarded(fleet)
  let late = 0
  for (const [name, fault] of choose(fleet)) {
    const copies = fleet.copies()
    const { ms, wantedMs, note } = await fault(fleet, { full: values.full })
    await sendEverywhere(fleet, 20)
    if (ms > wantedMs) late++
    console.log(`${name}: forwarding again after ${Math.round(ms)} ms of ${wantedMs}; ${fleet.sent.length} sent, ${fleet.copies() - copies} forwarded again${note === undefined ? '' : `; ${note}`}`)
    for (const violation of fleet.violations.splice(0)) {
      broken++
      console.log(`  ${violation}`)
    }
  }
  await fleet.finish()
  for (const violation of fleet.violations) console.log(violation)
  broken += fleet.violations.length
  const accepted = fleet.sent.filter(({ deliveryId }) => deliveryId !== undefined).length
  console.log(`${fleet.sent.length} sent, ${accepted} accepted, ${fleet.copies()} forwarded again, ${fleet.storedLate.length} stored late, ${late} times later than wanted`)
  for (const end of ends.splice(0)) await end()
  if (broken === 0) rmSync(folder, { recursive: true, force: true })
  return broken === 0
}

let broken = 0
const random = randomOf(seed)

function * wanted (faults: Readonly<Record<string, FleetFault>>): Iterable<readonly [string, FleetFault]> {
  for (const name of named ?? Object.keys(faults)) for (let time = 0; time < times; time++) if (faults[name] !== undefined) yield [name, faults[name]]
}

function * chosen (): Iterable<readonly [string, FleetFault]> {
  const all = Object.entries(fleetFaults)
  for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
    const one = all[Math.floor(random() * all.length)]
    if (one !== undefined) yield one
  }
}

try {
  if (named === undefined) await run(false, chosen)
  else if (named.some((name) => name in fleetFaults)) await run(false, () => wanted(fleetFaults))
  if (named === undefined || named.some((name) => name in standbyFaults)) await run(true, () => wanted(standbyFaults))
} finally {
  for (const end of ends) await end()
}
console.log(broken === 0 ? 'every promise was kept' : `promises were broken, repeat with --seed ${seed}`)
process.exitCode = broken === 0 ? 0 : 1
