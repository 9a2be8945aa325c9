import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/delivery/clock.js'
import { captureLog } from '../../support/capture-log.js'
import { createPostgresJournal } from '../../support/postgres-journal.js'
import { freePort, noPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'

const DAY_MS = 86_400_000
const NOBODY = 65_534
/** The path where Debian installs PgBouncer, unless another one is named. */
const PROGRAM = process.env['TIERHOOK_PGBOUNCER'] ?? '/usr/sbin/pgbouncer'
const noPgBouncer = noPostgres !== false ? noPostgres : existsSync(PROGRAM) ? false : 'PgBouncer is not installed'

/** PgBouncer in front of a server. Each transaction may use another one of four connections, without prepared statements. */
async function startPgBouncer (t: Test, server: PostgresServer): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-pgbouncer-'))
  const user = process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  if ('uid' in user) chownSync(folder, NOBODY, NOBODY)
  const port = await freePort()
  const configuration = join(folder, 'pgbouncer.ini')
  writeFileSync(configuration, `[databases]
postgres = host=127.0.0.1 port=${new URL(server.url).port} dbname=postgres user=tierhook
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
`)
  const child = spawn(PROGRAM, [configuration], { ...user, cwd: folder, stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `postgres://tierhook@127.0.0.1:${port}/postgres`
  for (let tries = 0; ; tries++) {
    const client = new Client({ connectionString: url })
    client.on('error', () => undefined)
    if (await client.connect().then(() => true, () => false)) {
      await client.end()
      return url
    }
    if (tries > 200) throw new Error('PgBouncer did not start')
    await pause(50)
  }
}

t.test('replicas behind PgBouncer in transaction mode accept and forward', { skip: noPgBouncer }, async (t) => {
  const server = await startPostgres(t)
  const url = await startPgBouncer(t, server)
  const replicas = await Promise.all(['one', 'two', 'three'].map(async (name) => {
    const { logger } = captureLog()
    const journal = createPostgresJournal({ url, schema: 'bounced', name, logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, forwarders: ['f'] })
    t.teardown(async () => { await journal.close() })
    await journal.start()
    return journal
  }))
  const [one] = replicas
  if (one === undefined) return
  const feed = await one.openFeed({ forwarder: 'f', order: 'customer', start: 'beginning', onWork: () => {} })
  const appended = await Promise.all(Array.from({ length: 300 }, async (_, index) => await replicas[index % 3]?.append(sampleNewDelivery({ index, customerId: `cust_${index % 10}` }))))
  const seen = new Set<string>()
  for (const deadline = performance.now() + 60_000; seen.size < appended.length && performance.now() < deadline;) {
    const { claims } = await feed.claim(50)
    for (const { delivery } of claims) seen.add(delivery.id)
    await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
    if (claims.length === 0) await pause(20)
  }
  t.strictSame(seen, new Set(appended.map((each) => each?.id)))
  t.match(await server.query("SELECT cursor::int FROM bounced.forwarders WHERE cursor = (SELECT value FROM bounced.counters WHERE name = 'sequence')"), [{ cursor: 300 }])
})
