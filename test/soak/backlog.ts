import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pileUp } from '../support/backlog.js'

// Run as: npm run soak:backlog -- --deliveries 100000
const { values } = parseArgs({ options: { deliveries: { type: 'string', default: '100000' } } })
const dataDir = await mkdtemp(join(tmpdir(), 'tierhook-backlog-'))
const facts = await pileUp({ dataDir, deliveries: Number(values.deliveries) })
console.log(JSON.stringify(facts, null, 2))
await rm(dataDir, { recursive: true })
process.exitCode = facts.arrived === facts.deliveries && facts.outOfOrder.length === 0 && facts.fileLines === facts.deliveries ? 0 : 1
