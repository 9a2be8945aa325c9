import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { acceptanceGroups } from './acceptance.js'
import { appendGroups } from './append.js'
import { createChildren } from './child.js'
import { createDatabase } from './database.js'
import { drainGroups } from './drain.js'
import { describeMachine } from './machine.js'
import { toMarkdown, type Report } from './markdown.js'
import { measureGroup, type Group } from './measure.js'
import { relayGroups } from './relay.js'
import { rowName, summarise, type Row } from './summary.js'

const USAGE = `npm run bench -- [options]

  --only <pattern>   only rows whose name (group/variant/connections) matches this regular expression, and their baselines
  --rounds <n>       how often each row is measured, each time by a process of its own; 5 where absent
  --seconds <n>      about how long each measurement takes; 2 where absent
  --json             prints JSON instead of Markdown
  --list             prints the names of the rows and measures nothing
  --dir <path>       where journals are kept meanwhile: on the disk that is to be measured; the system's temporary folder where absent
  --minutes <n>      the longest that all may take; 60 where absent
  --postgres <url>   a PostgreSQL database for the rows of one, in which schemas are made and removed; one from npm is started where absent
  --against <path>   measures a copy of dist-bench of another state of the sources beside this one
  --profile <path>   leaves a CPU profile of every process in this folder
`

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    minutes: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    postgres: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'string' }
  }
})
if (values.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const rounds = numberOf('rounds')
const seconds = numberOf('seconds')
const minutes = numberOf('minutes')
const only = new RegExp(values.only)
if (values.profile !== undefined) mkdirSync(values.profile, { recursive: true })
const children = createChildren(values.profile === undefined ? undefined : resolve(values.profile))
const directory = mkdtempSync(join(resolve(values.dir), 'tierhook-bench-'))
const database = createDatabase(directory, values.postgres)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { finish(1) })
const limit = setTimeout(() => {
  process.stderr.write(`bench: not done within ${minutes} minutes\n`)
  finish(1)
}, minutes * 60_000)

try {
  await bench()
  clearTimeout(limit)
  await end()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  finish(1)
}

async function bench (): Promise<void> {
  const options = { children, directory, database, against: values.against === undefined ? undefined : resolve(values.against) }
  const groups = [...relayGroups(options), ...drainGroups(options), ...appendGroups(options), ...acceptanceGroups(options)].flatMap(selected)
  if (values.list) {
    for (const group of groups) for (const { name } of group.variants) process.stdout.write(`${rowName(group, name)}\n`)
    return
  }
  if (groups.length === 0) throw new Error(`no row matches ${values.only}`)
  const machine = describeMachine(directory)
  const rows: Row[] = []
  const leftOut: Array<Report['leftOut'][number]> = []
  for (const group of groups) {
    const variants = group.variants.filter((variant) => {
      if (typeof variant.leftOut === 'string') leftOut.push({ row: rowName(group, variant.name), why: variant.leftOut })
      return typeof variant.leftOut !== 'string'
    })
    const measured = await measureGroup({ variants }, {
      rounds, seconds, onRound: (round) => { process.stderr.write(`${group.name} at ${group.connections}: round ${round} of ${rounds}\n`) }
    })
    rows.push(...summarise(group, measured))
  }
  const report = { machine, rounds, seconds, rows, leftOut }
  process.stdout.write(`${values.json ? JSON.stringify(report, undefined, 2) : toMarkdown(report)}\n`)
}

/** Returns the group with the requested variants and their baselines. */
function selected (group: Group): readonly Group[] {
  const asked = group.variants.filter(({ name }) => only.test(rowName(group, name)))
  if (asked.length === 0) return []
  return [{ ...group, variants: group.variants.filter((variant) => asked.includes(variant) || group.baselines.includes(variant.name)) }]
}

function numberOf (name: 'rounds' | 'seconds' | 'minutes'): number {
  const number = Number(values[name])
  if (Number.isFinite(number) && number > 0 && (name !== 'rounds' || Number.isInteger(number))) return number
  process.stderr.write(`bench: --${name} must be a number above 0\n`)
  process.exit(2)
}

async function end (): Promise<void> {
  await children.endAll()
  await database.end()
  rmSync(directory, { recursive: true, force: true })
}

function finish (code: number): void {
  end().finally(() => { process.exit(code) })
}
