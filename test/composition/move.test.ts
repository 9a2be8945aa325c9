import t from 'tap'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openOperator } from '../../src/composition/open-store.js'
import { moveStore } from '../../src/composition/move.js'
import { openFolder } from '../../src/composition/move-folder.js'
import { openShared } from '../../src/composition/move-shared.js'
import { systemClock } from '../../src/delivery/clock.js'
import { createHarness } from '../commands/harness.js'
import { dead, forwarded, quarantinedDelivery, newDelivery, openJournal, retry, settleAll } from '../journal/sqlite/stored.js'
import { captureLog } from '../support/capture-log.js'
import { eventually } from '../support/eventually.js'
import { createPostgresJournal } from '../support/postgres-journal.js'
import { noPostgres, startPostgres } from '../support/postgres-server.js'
import { sampleNewDelivery } from '../support/sample-delivery.js'
import { mountedFolder } from '../support/small-disk.js'

const DAY_MS = 86_400_000

t.test('a store is moved to PostgreSQL and back with all its progress', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  const { url } = server

  /** A data folder with records of each kind. */
  async function makeFolder (): Promise<string> {
    const store = await openJournal(t)
    const http = await store.feed('http')
    const deliveries = Array.from({ length: 600 }, (_, index) => newDelivery({ dedupeKey: `key-${index}`, customerId: index % 3 === 0 ? null : `cust_${index % 7}` }))
    await store.append(...deliveries, quarantinedDelivery({ rawBody: Buffer.from([0, 255, 10]) }))
    await settleAll(http, ({ delivery: { sequence } }) => sequence % 100 === 1 ? dead() : sequence % 50 === 2 ? retry() : forwarded())
    const operator = openOperator({ dataDir: store.dataDir })
    await operator.replay({ sequences: [3, 4], forwarders: ['http'], finishedOnly: false, description: 'again', dryRun: false })
    await operator.keepPaused({ forwarder: 'http', paused: true })
    await operator.close()
    await store.append(newDelivery())
    await store.close()
    return store.dataDir
  }

  async function facts (place: Parameters<typeof openOperator>[0]) {
    const operator = openOperator(place)
    const [forwarder] = await operator.forwarders()
    const { leader: _leader, home: _home, ...known } = { leader: null, home: null, ...forwarder }
    const listed = await operator.list({ filter: {}, order: 'oldest first', limit: 2000 })
    const result = { known, listed, dead: await operator.deadLetters({ limit: 100 }), read: await operator.read(3), verified: await operator.verify({ after: 0, limit: 5000 }), last: await operator.lastSequence() }
    await operator.close()
    return { ...result, read: { ...result.read, rawBody: Buffer.from(result.read?.rawBody ?? []).toString() } }
  }

  await t.test('there and back again nothing has changed', async (t) => {
    const dataDir = await makeFolder()
    const before = await facts({ dataDir })
    t.match(await moveStore({ from: { dataDir }, to: { url, schema: 'there' } }), { deliveries: 602, left: join(dataDir, 'tierhook.db.moved') })
    t.notOk(existsSync(join(dataDir, 'tierhook.db')))
    t.strictSame(await facts({ dataDir, journal: { url, schema: 'there' } }), before)

    const { logger } = captureLog()
    const journal = createPostgresJournal({ url, schema: 'there', logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 0, maxBytes: 0 }, forwarders: ['http'] })
    await journal.start()
    t.equal((await journal.append(sampleNewDelivery({ dedupeKey: 'key-7' }))).status, 'duplicate')
    await t.rejects(moveStore({ from: { url, schema: 'there' }, to: { dataDir: t.testdir() } }), { code: 'STORE_BUSY', message: 'stop them first' })
    await journal.close()
    await server.query('UPDATE there.deliveries SET duplicates = 0; UPDATE there.counters SET value = 602 WHERE name = \'sequence\'')

    const back = join(t.testdir(), 'back')
    t.match(await moveStore({ from: { url, schema: 'there' }, to: { dataDir: back } }), { deliveries: 602, left: /^the schema there_moved_\d{14}$/ })
    t.strictSame(await facts({ dataDir: back }), before)
  })

  await t.test('a stopped move leaves the old store unchanged, and the next move starts again', async (t) => {
    const dataDir = await makeFolder()
    const stop = new AbortController()
    await t.rejects(moveStore({ from: { dataDir }, to: { url, schema: 'stopped' }, signal: stop.signal, onProgress: ({ phase }) => { if (phase === 'checking') stop.abort() } }))
    t.ok(existsSync(join(dataDir, 'tierhook.db')))
    await t.rejects(openOperator({ dataDir, journal: { url, schema: 'stopped' } }).lastSequence(), { code: 'WRONG_STORE', message: 'run "tierhook move" to its end' })

    const { stdout, stderr, run } = createHarness({ environment: { JOURNAL_SCHEMA: 'stopped' }, directory: dataDir })
    t.equal(await run('move', '--from', '.', '--to', url), 0, stderr.text)
    t.match(stdout.text, /^602 deliveries moved and checked; what was moved from is kept as .*tierhook\.db\.moved\n$/)
    const again = createHarness({ environment: { JOURNAL_SCHEMA: 'stopped' }, directory: dataDir })
    t.equal(await again.run('move', '--from', '.', '--to', url), 1)
    t.match(again.stderr.text, 'There is no tierhook.db in')
  })

  await t.test('a target that is in use, and two journals of the same kind, are refused', async (t) => {
    const dataDir = await makeFolder()
    await t.rejects(moveStore({ from: { dataDir }, to: { dataDir } }), { code: 'WRONG_STORE' })
    await t.rejects(moveStore({ from: { dataDir }, to: { url, schema: 'stopped' } }), { code: 'WRONG_STORE', message: 'holds a journal already' })
    const connections = async (): Promise<readonly number[]> => (await server.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'tierhook'")).map(({ pid }) => pid)
    const before = await connections()
    await t.rejects(moveStore({ from: { url, schema: 'nothing' }, to: { dataDir: t.testdir() } }), { code: 'NO_STORE' })
    // An open connection would end by itself after a minute.
    const deadline = performance.now() + 20_000
    t.strictSame(await eventually(async () => {
      const left = (await connections()).filter((pid) => !before.includes(pid))
      return left.length === 0 || performance.now() > deadline ? left : undefined
    }, 'the connections to close'), [])
    await t.rejects(moveStore({ from: { url, schema: 'stopped' }, to: { dataDir } }), { code: 'WRONG_STORE', message: 'name another folder' })
    const { append, close, dataDir: served } = await openJournal(t)
    await append(newDelivery())
    await t.rejects(moveStore({ from: { dataDir: served }, to: { url, schema: 'new' } }), { code: 'STORE_BUSY' })
    await close()
  })

  /** A journal without a running service, with one event. */
  async function makeJournal (schema: string) {
    const journal = createPostgresJournal({ url, schema, logger: captureLog().logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: 0, maxBytes: 0 } })
    await journal.start()
    const stored = await journal.append(sampleNewDelivery())
    return { journal, stored }
  }

  await t.test('a journal that an interrupted move was reading from is refused as a target', async (t) => {
    const { journal, stored } = await makeJournal('killed')
    await journal.close()
    const killed = await openShared({ url, schema: 'killed' })
    t.teardown(killed.close)
    await t.rejects(moveStore({ from: { dataDir: await makeFolder() }, to: { url, schema: 'killed' } }), { code: 'WRONG_STORE', message: 'holds a journal already' })
    t.match(await server.query('SELECT id FROM killed.deliveries'), [{ id: stored.id }])
  })

  await t.test('the WAL of a deleted database is refused and not read as the new one\'s, and files of an earlier move are not replaced', async (t) => {
    const dataDir = await makeFolder()
    writeFileSync(join(dataDir, 'tierhook.db.moved'), 'the only copy')
    t.match(await moveStore({ from: { dataDir }, to: { url, schema: 'again' } }), { left: join(dataDir, 'tierhook.db.moved-2') })
    t.equal(readFileSync(join(dataDir, 'tierhook.db.moved'), 'utf8'), 'the only copy')

    const [folder, other] = ['target', 'lost'].map((name) => join(t.testdir({ target: {}, lost: {} }), name)) as [string, string]
    const lost = await openJournal(t, other)
    await lost.append(newDelivery())
    copyFileSync(join(other, 'tierhook.db-wal'), join(folder, 'tierhook.db-wal'))
    await t.rejects(moveStore({ from: { url, schema: 'again' }, to: { dataDir: folder } }), { code: 'WRONG_STORE', message: 'has tierhook.db-wal' })
    rmSync(join(folder, 'tierhook.db-wal'))
    t.match(await moveStore({ from: { url, schema: 'again' }, to: { dataDir: folder } }), { deliveries: 602 })
  })

  await t.test('on a disk without room for the WAL and the database, a move leaves nothing, and the old journal stays', async (t) => {
    const folder = mountedFolder(t, 'size=7m')
    if (folder === undefined) return t.comment('no right to mount: skipped')
    const { journal } = await makeJournal('large')
    for (let count = 0; count < 40; count++) await journal.append(sampleNewDelivery({ rawBody: Buffer.alloc(100_000, 'x') }))
    await journal.close()
    await server.query('UPDATE large.members SET seen_at = 0, lease_until = 0')
    const { stderr, run } = createHarness({ environment: { JOURNAL_SCHEMA: 'large' } })
    t.equal(await run('move', '--from', url, '--to', folder), 1, stderr.text)
    t.match(stderr.text, /^tierhook: The database .*tierhook\.db cannot be used for this \(SQLITE_FULL\), because the disk is full: .*\n$/)
    t.strictSame(readdirSync(folder), ['tierhook.lock'])
    t.match(await moveStore({ from: { url, schema: 'large' }, to: { dataDir: t.testdir() } }), { deliveries: 41 })
  })

  await t.test('events accepted during a move stay in the journal that is served', async (t) => {
    const { journal } = await makeJournal('stalled')
    // A frozen replica is not noticed.
    const hide = async (): Promise<void> => { await server.query('UPDATE stalled.members SET seen_at = 0, lease_until = 0') }
    await hide()
    const source = await openShared({ url, schema: 'stalled' })
    t.teardown(source.close)
    await source.side.counters()
    // A replica that had started before continues.
    await server.query('ALTER TABLE stalled.moving RENAME TO moved')
    await journal.append(sampleNewDelivery())
    await hide()
    await t.rejects(source.leave(), { code: 'STORE_BUSY', message: 'while it was moved' })
    t.equal((await journal.append(sampleNewDelivery())).status, 'stored')
    await journal.close()
  })
})

t.test('a database that cannot be reached is reported in a sentence, on either side', async (t) => {
  const store = await openJournal(t)
  await store.append(newDelivery())
  await store.close()
  const nowhere = 'postgres://somebody@127.0.0.1:1/nowhere'
  for (const [from, to] of [['.', nowhere], [nowhere, 'new']] as const) {
    const { stderr, run } = createHarness({ directory: store.dataDir })
    t.equal(await run('move', '--from', from, '--to', to), 1)
    t.match(stderr.text, /^tierhook: The PostgreSQL database cannot be used: .*127\.0\.0\.1:1\n$/)
  }
})

t.test('no command changes a store in a data folder while it is moved, and no move begins while one does', async (t) => {
  const store = await openJournal(t)
  await store.append(quarantinedDelivery())
  await store.close()
  const { dataDir } = store
  const source = await openFolder(dataDir)
  const operator = openOperator({ dataDir })
  t.teardown(operator.close)
  const change = async (): Promise<unknown> => await operator.discard({ from: 'quarantine', sequences: [1] })
  await t.rejects(change(), { code: 'STORE_BUSY' }, 'a change is refused during a move, because it would be lost')
  t.equal(await operator.countQuarantined(), 1)
  await source.close()
  t.match(await change(), [{ status: 'discarded' }])
  await t.rejects(openFolder(dataDir), { code: 'SQLITE_BUSY' })
  await operator.close()
  await (await openFolder(dataDir)).close()
})
