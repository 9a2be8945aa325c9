import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect, copyDatabase, isSound, OLDEST_SQLITE, type Connection } from '../../../src/journal/sqlite/binding.js'

function filled (path: string, rows: number): Connection {
  const db = connect(path)
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT; BEGIN')
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
  for (let row = 1; row <= rows; row++) insert.run([row, 'x'.repeat(100)])
  db.exec('COMMIT')
  return db
}

t.test('the SQLite in use is free of the WAL-reset fault, and an older one is refused', async (t) => {
  const db = connect(':memory:')
  t.ok(isSound(String(Object.values(Object(db.prepare('SELECT sqlite_version()').get()))[0])))
  t.notOk(isSound('3.45.1'))
  t.notOk(isSound('3.51.2'))
  t.ok(isSound(OLDEST_SQLITE))
  t.ok(isSound('3.100.0'))
  t.notOk(isSound(undefined))
})

t.test('text that is not UTF-8 is read with U+FFFD, and does not end the process', async (t) => {
  const db = connect(':memory:')
  t.match(db.prepare("SELECT CAST(x'ff41' AS TEXT) AS text").get(), { text: '\uFFFDA' })
})

t.test('a number that tierhook never writes is damage', async (t) => {
  const db = connect(':memory:')
  t.throws(() => db.prepare('SELECT 9223372036854775807 AS n').get(), { code: 'SQLITE_CORRUPT' })
})

t.test('a damaged page: every way of reading reports it, and the statement continues with the next row', async (t) => {
  const path = join(t.testdir(), 'a.db')
  filled(path, 2000).close()
  const bytes = readFileSync(path)
  bytes.fill(0xFF, 20 * 4096, 21 * 4096)
  writeFileSync(path, bytes)
  const db = connect(path)
  t.teardown(() => { db.close() })
  const all = db.prepare('SELECT * FROM t')
  t.throws(() => all.all(), { code: 'SQLITE_CORRUPT' })
  t.throws(() => all.all(), { code: 'SQLITE_CORRUPT' })
  const one = db.prepare('SELECT b FROM t WHERE a = ?')
  const readable = Array.from({ length: 2000 }, (_, index) => index + 1).filter((row) => {
    try {
      return one.get([row]) !== undefined
    } catch (error) {
      t.match(error, { code: 'SQLITE_CORRUPT' })
      return false
    }
  })
  t.ok(readable.length > 1900 && readable.length < 2000)
  t.ok(readable.includes(2000), 'deliveries after the damaged page are readable')
})

t.test('errors have the name that SQLite gives them as their code', async (t) => {
  const folder = t.testdir({ garbage: 'x'.repeat(9000) })
  const path = join(folder, 'a.db')
  const db = filled(path, 1)
  const other = connect(path)
  t.teardown(() => {
    db.close()
    other.close()
  })
  t.throws(() => db.prepare('INSERT INTO t VALUES (1, NULL)').run(), { code: 'SQLITE_CONSTRAINT' })
  t.throws(() => db.exec('nonsense'), { code: 'SQLITE_ERROR' })
  db.exec('BEGIN IMMEDIATE')
  t.throws(() => other.exec('BEGIN IMMEDIATE'), { code: 'SQLITE_BUSY' })
  db.exec('ROLLBACK')
  t.throws(() => connect(join(folder, 'no', 'such.db')), { code: 'SQLITE_CANTOPEN', message: /no\/such\.db/ })
  t.throws(() => connect(join(folder, 'garbage')).prepare('SELECT 1 FROM t'), { code: 'SQLITE_NOTADB' })
  t.throws(() => connect(path, { readOnly: true }).exec('DELETE FROM t'), { code: 'SQLITE_READONLY' })
})

t.test('a connection that only its statements refer to stays open', async (t) => {
  const path = join(t.testdir(), 'a.db')
  filled(path, 10).close()
  const statements = Array.from({ length: 50 }, () => connect(path).prepare('SELECT count(*) AS n FROM t'))
  for (let count = 0; count < 50; count++) Buffer.alloc(1_000_000)
  globalThis.gc?.()
  await new Promise((resolve) => { setImmediate(resolve) })
  for (const statement of statements) t.match(statement.get(), { n: 10 })
})

t.test('a copy is complete while others write, and reports its progress', async (t) => {
  const folder = t.testdir()
  const db = filled(join(folder, 'a.db'), 5000)
  db.exec('PRAGMA journal_mode = WAL')
  const told: number[] = []
  await copyDatabase(join(folder, 'a.db'), join(folder, 'b.db'), (copied, of) => {
    told.push(copied / of)
  })
  db.close()
  const copy = connect(join(folder, 'b.db'))
  t.match(copy.prepare('SELECT count(*) AS n FROM t').get(), { n: 5000 })
  copy.close()
  t.ok(told.every((share) => share >= 0 && share <= 1))
})
