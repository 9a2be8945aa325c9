import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crashRounds } from '../support/crash-rounds.js'

// npm run soak -- [--rounds N] [--minutes N] [--seed S]: kills the built service under load, over and over.
const { values } = parseArgs({ options: { rounds: { type: 'string' }, minutes: { type: 'string' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const forMs = values.minutes === undefined ? undefined : Number(values.minutes) * 60_000
const rounds = Number(values.rounds ?? (forMs === undefined ? 200 : Infinity))
if (![seed, rounds, forMs ?? 0].every((value) => value >= 0)) throw new Error('--rounds, --minutes and --seed are numbers')
const dataDir = mkdtempSync(join(tmpdir(), 'tierhook-soak-'))
console.log(`seed ${seed}, data folder ${dataDir}`)

const facts = await crashRounds({
  dataDir,
  rounds,
  seed,
  ...(forMs === undefined ? {} : { forMs }),
  onRound: (round, { acknowledged, duplicates, unanswered }) => { console.log(`round ${round}: ${acknowledged} acknowledged, ${duplicates} duplicates, ${unanswered} unanswered`) }
})
const kept = facts.lost.length + facts.twice.length + facts.refusedAndStored.length + facts.torn === 0
console.log(JSON.stringify(facts, undefined, 2))
console.log(kept ? 'every acknowledged delivery is there exactly once' : `the promise is broken: see ${dataDir}, and repeat with --seed ${seed}`)
if (kept) rmSync(dataDir, { recursive: true })
process.exitCode = kept ? 0 : 1
