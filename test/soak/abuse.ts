import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { abuse } from '../support/abuse/abuse.js'

// npm run abuse -- [--requests N] [--seed S] [--conversation N]: throws mutated requests at the built service while one client behaves well.
const { values } = parseArgs({ options: { requests: { type: 'string', default: '1000000' }, seed: { type: 'string' }, conversation: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const requests = Number(values.requests)
if (!(seed >= 0) || !(requests > 0)) throw new Error('--requests and --seed are numbers')
const dataDir = mkdtempSync(join(tmpdir(), 'tierhook-abuse-'))
console.log(`seed ${seed}, data folder ${dataDir}`)

let told = 0
const { faults, ...facts } = await abuse({
  dataDir,
  requests,
  seed,
  ...(values.conversation === undefined ? {} : { only: [Number(values.conversation)] }),
  onProgress (sent) {
    if (sent < told + requests / 20) return
    told = sent
    console.log(`${sent} requests`)
  }
})
console.log(JSON.stringify(facts, undefined, 2))
for (const fault of faults) console.log(fault.slice(0, 600))
const held = faults.length + facts.lost.length + facts.twice.length === 0 && facts.socketsAfter <= facts.socketsBefore
console.log(held ? 'every answer was one, and every acknowledged delivery is there exactly once' : `something gave: see ${dataDir}, and repeat with --seed ${seed}`)
if (held) rmSync(dataDir, { recursive: true })
process.exitCode = held ? 0 : 1
