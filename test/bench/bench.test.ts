import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { noPostgres } from '../support/postgres-server.js'
import { plainNode } from '../support/program.js'

const run = promisify(execFile)
const project = join(import.meta.dirname, '../..')

/** Runs the bench like `npm run bench`, in a folder of the test. Types are checked elsewhere. */
async function build (outDir: string): Promise<void> {
  await run('env', [...plainNode, join(project, 'node_modules/typescript/bin/tsc'), '-p', join(project, 'bench'), '--noCheck', '--outDir', outDir, '--incremental', 'false', '--tsBuildInfoFile', 'null'])
}

async function bench (program: string, ...options: readonly string[]): Promise<string> {
  const { stdout } = await run('env', [...plainNode, program, ...options], { timeout: 300_000 })
  return stdout
}

t.test('the bench measures the requested parts and their baselines, and leaves no files behind', async (t) => {
  // Inside the project, so that Node.js finds the dependencies.
  const outDir = join(project, 'dist-bench', 'test')
  t.teardown(async () => { await rm(outDir, { recursive: true, force: true }) })
  await build(outDir)
  const program = join(outDir, 'bench/main.js')
  const dir = t.testdir()
  const short = ['--rounds', '2', '--seconds', '0.05', '--dir', dir]

  const table = await bench(program, '--only', '^relay/(forwarder|pump)/16$', ...short)
  const [head = '', , columns = '', line = '', ...rows] = table.trimEnd().split('\n')
  t.match(head, /; node \d+\.\d+\.\d+, fastify 5\.\S+, undici 7\.\S+, SQLite 3\.\S+; 4 KiB fsync \d+\.\d\d ms; .* Medians of 2 rounds of 0\.05 s/)
  t.match(columns, /^\| relay \| connections \| CPU µs\/event \| CPU to few headers \| CPU to same headers \| events\/s \|/)
  t.match(line, /^\| --- (\| ---: )+\|$/)
  t.strictSame(rows.map((row) => row.split(' | ').slice(0, 2)), [['| few headers', '16'], ['| same headers', '16'], ['| forwarder', '16'], ['| pump', '16']])
  const cells = columns.split('|').length
  for (const row of rows) {
    t.equal(row.split('|').length, cells)
    t.match(row, /\d+ \(\d+–\d+\) \| \d+\.\d\d \(\d+\.\d\d–\d+\.\d\d\)/)
    t.notMatch(row, /NaN|undefined/)
  }

  const report: unknown = JSON.parse(await bench(program, '--json', '--only', '^accept/everything on/16$', ...short))
  t.match(report, {
    rounds: 2,
    seconds: 0.05,
    machine: { cpus: Number, versions: { node: process.versions.node }, fsyncMs: Number },
    rows: [
      { row: 'accept/bare Fastify/16', connections: 16, rateRatio: { 'bare Fastify': { median: 1, least: 1, most: 1 } } },
      { row: 'accept/by hand, with fsync/16', connections: 16, eventsPerSecond: { median: Number } },
      {
        row: 'accept/everything on/16',
        eventsPerSecond: { median: Number, least: Number, most: Number },
        cpuMicrosecondsPerEvent: { median: Number },
        latencyMs: { p50: Number, p99: Number, p999: Number },
        peakMebibytes: Number
      }
    ]
  })

  const fleet = await bench(program, '--only', '^(append|everything on|drain)/.*PostgreSQL', '--rounds', '1', '--seconds', '0.05', '--dir', dir)
  const compared = [['append', 'PostgreSQL', 'SQLite'], ['everything on', 'PostgreSQL', 'SQLite'], ['everything on', 'PostgreSQL, two replicas', 'PostgreSQL'], ['drain', 'pump, PostgreSQL', 'pump']] as const
  for (const [group, variant, baseline] of compared) {
    if (noPostgres !== false) {
      t.match(fleet, new RegExp(`^${group}/${variant}/\\d+ is left out: there are no PostgreSQL binaries`, 'm'))
      continue
    }
    const lines = fleet.split('\n')
    const table = lines.slice(lines.findIndex((line) => line.startsWith(`| ${group} |`)))
    const column = table[0]?.split(' | ').indexOf(`rate to ${baseline}`) ?? -1
    t.match(table.find((line) => line.startsWith(`| ${variant} |`))?.split(' | ')[column], /^\d+\.\d\d \(/, `${group}: ${variant} beside ${baseline}`)
  }
  t.strictSame(readdirSync(dir), [])
  await t.rejects(bench(program, '--only', 'nothing like it', ...short), /no row matches nothing like it/)
  t.strictSame(readdirSync(dir), [])
  await t.rejects(bench(program, '--rounds', '0'), { code: 2 })
})
