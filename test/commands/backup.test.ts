import t from 'tap'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../../src/journal/sqlite/binding.js'
import { lockDataFolder } from '../../src/journal/sqlite/data-lock.js'
import { databasePath, openForWriting } from '../../src/journal/sqlite/database.js'
import { destroyPage, makeStore, newDelivery } from '../journal/sqlite/stored.js'
import { mountedFolder } from '../support/small-disk.js'
import { createHarness } from './harness.js'

t.test('a backup of a store in use has every delivery, in one checked file', async t => {
  const store = makeStore(t)
  const folder = t.testdir({ data: {}, backups: {} })
  const used = makeStore(t, join(folder, 'data'))
  used.append(...Array.from({ length: 700 }, () => newDelivery()))
  const to = join(folder, 'backups', 'one.db')
  const harness = createHarness({ terminal: true })
  t.equal(await harness.run('backup', to, '--data-dir', used.dataDir), 0, harness.stderr.text)
  t.match(harness.stdout.text, /one\.db: 700 deliveries, [\d,]+ bytes, checked\n/)
  t.strictSame(readdirSync(join(folder, 'backups')), ['one.db'], 'the backup leaves no other file')
  const db = connect(to, { readOnly: true })
  t.same(db.prepare('SELECT count(*) AS n FROM deliveries').get([]), { n: 700 })
  db.close()

  const again = createHarness()
  const before = readFileSync(to)
  t.equal(await again.run('backup', to, '--data-dir', used.dataDir), 1)
  t.match(again.stderr.text, /one\.db is there already, and a backup never replaces a file/)
  t.ok(readFileSync(to).equals(before))
  const json = createHarness({ directory: folder })
  t.equal(await json.run('backup', 'two.db', '--json', '--data-dir', used.dataDir), 0)
  t.match(JSON.parse(json.stdout.text), { file: join(folder, 'two.db'), deliveries: 700, damaged: 0 })
  store.close()
})

t.test('a backup ends even if other processes commit all the time', async t => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 3000 }, () => newDelivery({ rawBody: Buffer.alloc(3000, 'x') })))
  const writer = openForWriting(databasePath(store.dataDir))
  t.teardown(writer.close)
  const timer = setInterval(() => { writer.exec("UPDATE forwarders SET breaker = 'open'; INSERT INTO replays (requested_at, description) VALUES (1, 'x')") }, 1)
  t.teardown(() => { clearInterval(timer) })
  const harness = createHarness()
  t.equal(await harness.run('backup', join(store.dataDir, 'copy.db'), '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, '3,000 deliveries')
})

t.test('a failed backup is reported and leaves no file', async t => {
  const folder = t.testdir({ data: {}, empty: {} })
  const store = makeStore(t, join(folder, 'data'))
  store.append(...Array.from({ length: 300 }, () => newDelivery()))

  const stopped = createHarness()
  const running = stopped.run('backup', join(folder, 'copy.db'), '--data-dir', store.dataDir)
  while (stopped.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  stopped.signal('SIGINT')
  t.equal(await running, 130)
  t.match(stopped.stderr.text, 'no backup was made')

  const none = createHarness()
  t.equal(await none.run('backup', join(folder, 'copy.db'), '--data-dir', join(folder, 'empty')), 1)
  t.match(none.stderr.text, /There is no tierhook\.db in/)
  const nowhere = createHarness()
  t.equal(await nowhere.run('backup', join(folder, 'no', 'copy.db'), '--data-dir', store.dataDir), 1)
  t.match(nowhere.stderr.text, /no\/copy\.db cannot be written/)

  const db = connect(databasePath(store.dataDir))
  db.exec("UPDATE deliveries SET event_type = 'x' WHERE sequence = 5")
  db.close()
  const oneDamaged = createHarness()
  t.equal(await oneDamaged.run('backup', join(folder, 'kept.db'), '--data-dir', store.dataDir), 0, 'a damaged record in the store does not fail the backup')
  t.match(oneDamaged.stderr.text, '1 delivery damaged, in the store as in the backup')
  store.close()
  destroyPage(store.dataDir, 0)
  const damaged = createHarness()
  t.equal(await damaged.run('backup', join(folder, 'copy.db'), '--data-dir', store.dataDir), 1)
  t.match(damaged.stderr.text, /damaged/)
  t.strictSame(readdirSync(folder).sort(), ['data', 'empty', 'kept.db'])
})

t.test('a backup is restored into a folder without a database, and changes nothing else there', async t => {
  const folder = t.testdir({ data: {}, new: { 'events.ndjson': '{"id":"newer than the backup"}\n', 'events.ndjson.1': 'older\n' } })
  const store = makeStore(t, join(folder, 'data'))
  const delivery = newDelivery()
  store.append(delivery, newDelivery())
  store.feed('file')
  const file = join(folder, 'backup.db')
  t.equal(await createHarness().run('backup', file, '--data-dir', store.dataDir), 0)

  const dataDir = join(folder, 'new')
  const harness = createHarness({ terminal: true })
  t.equal(await harness.run('restore', file, '--data-dir', dataDir), 0, harness.stderr.text)
  t.match(harness.stdout.text, /2 deliveries restored and checked; the newest was received at 2026-/)
  t.match(harness.stdout.text, 'file had yet to get 2 deliveries when the backup was made')
  t.match(harness.stdout.text, 'The service keeps their lines that are newer than the backup')
  t.equal(readFileSync(join(dataDir, 'events.ndjson'), 'utf8'), '{"id":"newer than the backup"}\n')
  t.strictSame(readdirSync(dataDir).filter(name => !name.startsWith('tierhook.lock')).sort(), ['events.ndjson', 'events.ndjson.1', 'operator-actions.ndjson', 'tierhook.db'])
  const verified = createHarness()
  t.equal(await verified.run('verify', '--full', '--data-dir', dataDir), 0)
  t.match(verified.stdout.text, '2 deliveries checked, none damaged, the database is sound')
  const shown = createHarness()
  t.equal(await shown.run('show', delivery.id, '--raw', '--data-dir', dataDir), 0)
  t.equal(shown.stdout.text, Buffer.from(delivery.rawBody).toString())

  const twice = createHarness()
  t.equal(await twice.run('restore', file, '--data-dir', dataDir), 1)
  t.match(twice.stderr.text, /has tierhook\.db, and nothing is ever replaced/)
  const made = createHarness()
  t.equal(await made.run('restore', file, '--json', '--data-dir', join(folder, 'made')), 0, 'restore makes the folder')
  t.match(JSON.parse(made.stdout.text), { deliveries: 2, damaged: 0, unfinished: [{ forwarder: 'file', deliveries: 2 }] })
})

t.test('a restore is refused beside a running service, beside a lost log, or from a damaged backup', async t => {
  const folder = t.testdir({ data: {}, log: { 'tierhook.db-wal': 'x' }, served: {}, empty: {}, 'other.db': 'no database at all', 'none.db': '' })
  const store = makeStore(t, join(folder, 'data'))
  store.append(...Array.from({ length: 300 }, () => newDelivery()))
  const file = join(folder, 'backup.db')
  t.equal(await createHarness().run('backup', file, '--data-dir', store.dataDir), 0)

  async function refusal (from: string, to: string): Promise<string> {
    const harness = createHarness({ directory: folder })
    t.equal(await harness.run('restore', from, '--data-dir', to), 1)
    return harness.stderr.text
  }
  t.match(await refusal('backup.db', 'log'), /has tierhook\.db-wal/)
  const lock = lockDataFolder(join(folder, 'served'))
  t.match(await refusal('backup.db', 'served'), /Another tierhook serves/)
  lock.release()
  t.match(await refusal('missing.db', 'empty'), /There is no backup/)
  t.match(await refusal('other.db', 'empty'), /other\.db is not a backup of tierhook/)
  t.match(await refusal('none.db', 'empty'), /none\.db is not a backup of tierhook/)

  const bytes = readFileSync(file)
  mkdirSync(join(folder, 'broken'))
  const broken = databasePath(join(folder, 'broken'))
  writeFileSync(broken, bytes)
  destroyPage(join(folder, 'broken'), 0)
  t.match(await refusal(broken, 'empty'), /damaged/)
  bytes.fill(0, 0, 100)
  writeFileSync(file, bytes)
  t.match(await refusal('backup.db', 'empty'), /backup\.db is damaged: take another one/)
  t.notOk(existsSync(databasePath(join(folder, 'empty'))))
  t.strictSame(readdirSync(join(folder, 'empty')).filter(name => name.includes('unfinished')), [])

  const stopped = createHarness({ directory: folder })
  t.equal(await createHarness().run('backup', join(folder, 'sound.db'), '--data-dir', store.dataDir), 0)
  const running = stopped.run('restore', 'sound.db', '--data-dir', 'empty')
  while (stopped.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  stopped.signal('SIGTERM')
  t.equal(await running, 143)
  t.notOk(existsSync(databasePath(join(folder, 'empty'))))
})

t.test('if the disk has no room for the second file, the message names that cause and not the file that is copied', async t => {
  const folder = mountedFolder(t, 'size=8m,nr_inodes=2')
  const data = mountedFolder(t, 'size=8m,nr_inodes=3')
  if (folder === undefined || data === undefined) return t.comment('no right to mount: skipped')
  const store = makeStore(t)
  store.append(newDelivery())
  const backup = join(t.testdirName, 'backup.db')
  t.equal(await createHarness().run('backup', backup, '--data-dir', store.dataDir), 0)
  for (const args of [['backup', join(folder, 'copy.db'), '--data-dir', store.dataDir], ['restore', backup, '--data-dir', data]]) {
    const { stderr, run } = createHarness()
    t.equal(await run(...args), 1)
    t.match(stderr.text, /^tierhook: .*(?:copy|tierhook)\.db cannot be written \(SQLITE_CANTOPEN\): the disk takes no more files: it has no inodes left\n$/)
  }
  t.strictSame([...readdirSync(folder), ...readdirSync(data)], ['tierhook.lock'])
})

t.test('a backup from a data folder on a full disk, or without inodes, fails with that cause and not with the place of the backup', async t => {
  const store = makeStore(t)
  store.append(newDelivery())
  store.close()
  for (const [options, cause] of [['size=2m', 'the disk is full'], ['size=2m,nr_inodes=2', 'the disk takes no more files: it has no inodes left']] as const) {
    const dataDir = mountedFolder(t, options)
    if (dataDir === undefined) return t.comment('no right to mount: skipped')
    copyFileSync(databasePath(store.dataDir), databasePath(dataDir))
    try {
      writeFileSync(join(dataDir, 'filler'), Buffer.alloc(2 * 1024 * 1024))
    } catch {
      // The disk is full, as intended.
    }
    const { stderr, run } = createHarness()
    t.equal(await run('backup', join(store.dataDir, 'copy.db'), '--data-dir', dataDir), 1)
    t.match(stderr.text, /^tierhook: .*\/tierhook\.db cannot be read \(SQLITE_(?:IOERR|CANTOPEN)\): .*Copy it and its -wal, while no service runs/)
    t.match(stderr.text, cause)
    t.notOk(existsSync(join(store.dataDir, 'copy.db')))
  }
})
