import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomOf, startFleet } from '../support/fleet.js'
import { fleetFaults, msUntilForwarded, sendEverywhere } from '../support/fleet-faults.js'
import { noPostgres, startPostgres } from '../support/postgres-server.js'

// npm run fleet -- [--minutes N] [--seed S]: three replicas on a real PostgreSQL under load, with one fault after another, chosen by the seed;
// then everything is looked for everywhere. The same seed makes the same choices, though not the same moments.
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const minutes = Number(values.minutes)
if (!(seed >= 0) || !(minutes > 0)) throw new Error('--minutes and --seed are numbers')
if (noPostgres !== false) throw new Error(noPostgres)

const folder = mkdtempSync(join(tmpdir(), 'tierhook-fleet-'))
const ends: Array<() => unknown> = []
const life = { teardown: (end: () => unknown) => { ends.unshift(end) }, testdir: () => folder }
console.log(`seed ${seed}, data folders in ${folder}`)
let kept = false
try {
  const random = randomOf(seed)
  const server = await startPostgres(life)
  const fleet = await startFleet(life, { server, replicas: 3, seed })
  await msUntilForwarded(fleet)
  let late = 0
  for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
    const names = Object.keys(fleetFaults)
    const name = names[Math.floor(random() * names.length)] ?? ''
    const copies = fleet.copies()
    const result = await fleetFaults[name]?.(fleet, server)
    await sendEverywhere(fleet, 20)
    if (result === undefined) continue
    if (result.ms > result.wantedMs) late++
    console.log(`${name}: forwarding again after ${Math.round(result.ms)} ms of ${result.wantedMs}; ${fleet.sent.length} sent, ${fleet.copies() - copies} forwarded again`)
  }
  await fleet.finish()
  for (const violation of fleet.violations) console.log(violation)
  const accepted = fleet.sent.filter(({ deliveryId }) => deliveryId !== undefined).length
  kept = fleet.violations.length === 0
  console.log(`${fleet.sent.length} sent, ${accepted} accepted, ${fleet.copies()} forwarded again, ${late} times later than wanted: ${kept ? 'every promise was kept' : `promises were broken, repeat with --seed ${seed}`}`)
} finally {
  for (const end of ends) await end()
}
if (kept) rmSync(folder, { recursive: true, force: true })
process.exitCode = kept ? 0 : 1
