import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connect, type Connection, type Statement } from '../../../src/journal/sqlite/binding.js'
import { openOrSalvage } from '../../../src/journal/sqlite/open-or-salvage.js'
import { release } from '../../../src/journal/sqlite/operator/release.js'
import { readWal } from '../../../src/journal/sqlite/salvage/wal.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { recordsOf } from './stored.js'

const options = { dedupeWindowMs: 1_000_000, withdrawn: [] }

/** A database of three deliveries, and a salvaged copy of it. */
function makeBoth (folder: string) {
  const path = join(folder, 'tierhook.db')
  const writer = createWriter(Date.now)
  writer.open({ path, ...options })
  writer.registerFeed({ forwarder: 'f', cursor: 0 })
  writer.commit({ withdraw: [], progress: [], appends: recordsOf(...[1, 2, 3].map((index) => sampleNewDelivery({ index }))) })
  const old = join(folder, 'old')
  writer.close()
  const db = connect(path)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  copyFileSync(path, old)
  const { salvaged } = writer.open({ path, ...options, damaged: true, above: 50 })
  writer.close()
  return { path, old, salvaged }
}

/** Changes the first letter where the file first has this text. */
function damage (t: Test, path: string, text: string, letter: string): void {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(text)
  t.ok(at > 0)
  bytes.write(letter, at)
  writeFileSync(path, bytes)
}

t.test('everything readable is taken over, the damaged file is kept, and no sequence is given twice', async (t) => {
  const folder = t.testdir()
  const { path, salvaged } = makeBoth(folder)
  t.match(salvaged, { kept: 3, lost: 0, forwardersLost: false })
  t.ok(existsSync(salvaged?.damagedFile ?? ''))
  const writer = createWriter(Date.now)
  t.equal(writer.open({ path, ...options }).salvaged, undefined)
  t.match(writer.registerFeed({ forwarder: 'f', cursor: 9 }), { cursor: 0 })
  const { appends } = writer.commit({ withdraw: [], progress: [], appends: recordsOf(sampleNewDelivery()) })
  t.ok(Number(appends[0]) > 1050)
  writer.close()
})

t.test('a WAL that cannot be read does not count as a missing one', async (t) => {
  const log = join(t.testdir(), 'tierhook.db-wal')
  t.match(readWal(log), { count: undefined })
  symlinkSync(log, log)
  t.throws(() => readWal(log), { code: 'ELOOP' })
})

t.test('a crash at any step of a salvage leaves the old database or the complete new one', async (t) => {
  const root = t.testdir()
  const made = join(root, 'made')
  mkdirSync(made)
  const { path: source, old } = makeBoth(made)
  const crashes: Record<string, (path: string) => void> = {
    'while the new one is made': (path) => {
      copyFileSync(old, path)
      writeFileSync(`${path}.salvaging`, readFileSync(source).subarray(0, 9000))
    },
    'before the old one is moved': (path) => {
      copyFileSync(old, path)
      copyFileSync(source, `${path}.salvaged-x`)
    },
    'after the log of the old one is moved': (path) => {
      copyFileSync(old, path)
      writeFileSync(`${path}.damaged-x-wal`, '')
      copyFileSync(source, `${path}.salvaged-x`)
    },
    'between the two': (path) => {
      copyFileSync(old, `${path}.damaged-x`)
      copyFileSync(source, `${path}.salvaged-x`)
    }
  }
  for (const [name, crash] of Object.entries(crashes)) {
    const folder = join(root, name.replaceAll(' ', '-'))
    mkdirSync(folder)
    const path = join(folder, 'tierhook.db')
    crash(path)
    const writer = createWriter(Date.now)
    t.ok(writer.open({ path, ...options }).lastSequence >= 3, name)
    t.equal(writer.registerFeed({ forwarder: 'f', cursor: 9 }).cursor, 0)
    writer.close()
    t.notOk(readdirSync(folder).some((file) => file.includes('.salvaged-')))
  }
})

t.test('a file that is not a tierhook database is refused and unchanged', async (t) => {
  const path = join(t.testdir(), 'tierhook.db')
  const writer = createWriter(Date.now)
  const text = 'this is a text, and no database at all'.repeat(300)
  writeFileSync(path, text)
  t.throws(() => writer.open({ path, ...options }), { code: 'WRONG_DATABASE', message: /is not a database of tierhook/ })
  t.equal(readFileSync(path, 'utf8'), text)
})

t.test('lost forwarders, and ones added later, start with the oldest delivery, whatever their setting', async (t) => {
  const folder = t.testdir()
  const { path, old } = makeBoth(folder)
  renameSync(old, path)
  damage(t, path, 'fclosed', 'g')
  let now = Date.now()
  const writer = createWriter(() => now)
  t.match(writer.open({ path, ...options }).salvaged, { forwardersLost: true, kept: 3, lost: 0 })
  t.equal(writer.registerFeed({ forwarder: 'f', cursor: 3 }).cursor, 0)
  now += 4_000_000
  writer.prune({ now: 0, quarantinedBefore: 0, receivedBefore: 0, maxBytes: 0, keysBefore: 0, limit: 10, after: 0 })
  t.equal(writer.registerFeed({ forwarder: 'new', cursor: 3 }).cursor, 3)
  writer.close()
})

t.test('wrong SQL ends the start, and an intact database is not set aside for it', async (t) => {
  const folder = t.testdir()
  const { path, old } = makeBoth(folder)
  const use = (db: Connection): Statement => db.prepare('SELECT no_such_column FROM forwarders')
  const before = readdirSync(folder)
  t.throws(() => openOrSalvage(path, { damaged: false, reopened: false, above: 0, remembered: [], now: Date.now, use }), { code: 'SQLITE_ERROR', message: /no_such_column/ })
  t.same(readdirSync(folder), before)

  renameSync(old, path)
  const db = connect(path)
  // A foreign index with the name of one that a migration creates.
  db.exec('DROP TRIGGER waiting_comes; DROP TRIGGER waiting_goes; DROP INDEX waiting_due; DROP INDEX waiting_due_replays; DROP INDEX waiting_lane; ALTER TABLE waiting DROP COLUMN behind; PRAGMA user_version = 4')
  db.exec('CREATE INDEX waiting_lane ON attempts (forwarder)')
  db.close()
  t.throws(() => createWriter(Date.now).open({ path, ...options }), { code: 'SQLITE_ERROR', message: /waiting_lane already exists/ })
  t.same(readdirSync(folder).filter((name) => name.includes('damaged')), before.filter((name) => name.includes('damaged')))
})

t.test('a database whose column name is damaged is salvaged', async (t) => {
  const folder = t.testdir()
  const { path, old } = makeBoth(folder)
  renameSync(old, path)
  damage(t, path, 'raw_body BLOB', 's')
  const writer = createWriter(Date.now)
  t.match(writer.open({ path, ...options }).salvaged, { kept: 3, lost: 0 })
  writer.close()
})

t.test('a lost forwarder with a mark of a released delivery starts again', (t) => {
  const path = join(t.testdir(), 'tierhook.db')
  const writer = createWriter(Date.now)
  writer.open({ path, ...options })
  writer.commit({ withdraw: [], progress: [], appends: recordsOf(sampleNewDelivery({ quarantined: true })) })
  const person = connect(path)
  release(person, { sequences: [1], force: true }, () => ({ verdict: 'valid', faults: [] }), Date.now())
  person.close()
  writer.registerFeed({ forwarder: 'f', cursor: 0 })
  writer.close()
  damage(t, path, 'fclosed', 'g')
  const next = createWriter(Date.now)
  t.match(next.open({ path, ...options }).salvaged, { forwardersLost: true, lost: 0 })
  t.match(next.registerFeed({ forwarder: 'f', cursor: 1 }), { cursor: 0 })
  next.close()
  t.end()
})
