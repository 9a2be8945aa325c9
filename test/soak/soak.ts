import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isKept } from '../support/fault-report.js'
import { faultRounds } from '../support/fault-rounds.js'

// npm run soak -- [--minutes N] [--seed S]: load, kills, stops, a full, a stalling and a failing disk, a broken destination and a clock
// that steps, at random; then everything is looked for everywhere. The same seed makes the same choices, though not the same moments.
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const minutes = Number(values.minutes)
if (!(seed >= 0) || !(minutes > 0)) throw new Error('--minutes and --seed are numbers')
const folder = mkdtempSync(join(tmpdir(), 'tierhook-soak-'))
console.log(`seed ${seed}, data folder ${folder}`)

const report = await faultRounds({
  folder,
  seed,
  forMs: minutes * 60_000,
  onRound: (round, faults, { acknowledged, unanswered, refused }) => {
    console.log(`round ${round}: ${faults.join(', ')}; ${acknowledged} acknowledged, ${unanswered} unanswered, ${refused} refused`)
  }
})
const kept = isKept(report)
console.log(JSON.stringify(report, undefined, 2))
console.log(kept
  ? 'every acknowledged event is in the log, in the file exactly once, and at the destination in its customer\'s order'
  : `the promise is broken: see ${folder}, and repeat with --seed ${seed}`)
if (kept) rmSync(folder, { recursive: true, force: true })
process.exitCode = kept ? 0 : 1
