import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connect as connectTo, type Connection } from '../../../src/journal/sqlite/binding.js'
import type { Claim, Feed } from '../../../src/delivery/journal.js'
import { systemClock } from '../../../src/delivery/clock.js'
import { createWholeJournal, type WholeJournal, type WholeJournalOptions } from '../../support/whole-journal.js'
import { journalContract, type JournalUnderTest } from '../contract/journal-contract.js'
import { captureLog } from '../../support/capture-log.js'
import { eventually, eventuallyTrue } from '../../support/eventually.js'
import { latch } from '../../support/latch.js'
import { localThreads } from '../../support/local-threads.js'
import { appendMany, sampleNewDelivery } from '../../support/sample-delivery.js'

const DAY_MS = 86_400_000

function journalIn (t: Test, dataDir: string, overrides: Partial<WholeJournalOptions> = {}) {
  const log = captureLog()
  const threads = localThreads()
  const journal = createWholeJournal({
    dataDir, logger: log.logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, threads, ...overrides
  })
  t.teardown(async () => { await journal.close() })
  return { journal, log, threads }
}

/** A connection to the same database, as another process has it. */
function connect (dataDir: string): Connection {
  return connectTo(join(dataDir, 'tierhook.db'), { lockTimeoutMs: 5000 })
}

async function create (t: Test): Promise<JournalUnderTest> {
  const dataDir = t.testdir()
  let blocker: Connection | undefined
  return {
    dedupeWindowMs: 7 * DAY_MS,
    async open (): Promise<WholeJournal> {
      const { journal } = journalIn(t, dataDir)
      await journal.start()
      return journal
    },
    async replay (forwarder, sequences) {
      const db = connect(dataDir)
      db.exec('BEGIN IMMEDIATE')
      const { lastInsertRowid } = db.prepare("INSERT INTO replays (requested_at, description) VALUES (1, 'contract')").run([])
      for (const sequence of sequences) {
        db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
          SELECT ?, ?, sequence, customer_id, 1, 0, 0, 0 FROM deliveries WHERE sequence = ?`).run([forwarder, Number(lastInsertRowid), sequence])
      }
      db.exec('COMMIT')
      db.close()
    },
    async deadLetters (forwarder) {
      const db = connect(dataDir)
      const rows = db.prepare('SELECT d.id FROM dead_letters l JOIN deliveries d USING (sequence) WHERE l.forwarder = ?').all([forwarder]) as Array<{ id: string }>
      db.close()
      return rows.map(({ id }) => id)
    },
    async removeDelivery (id) {
      const db = connect(dataDir)
      db.prepare('DELETE FROM deliveries WHERE id = ?').run([id])
      db.close()
    },
    breakDisk (broken) {
      // A lock that is not released keeps the journal from committing, like a full disk.
      if (broken) {
        blocker = connect(dataDir)
        blocker.exec('BEGIN IMMEDIATE')
      } else {
        blocker?.close()
        blocker = undefined
      }
    }
  }
}

/** Claims and forwards this number of deliveries. */
async function forward (feed: Feed, count: number): Promise<readonly Claim[]> {
  const forwarded: Claim[] = []
  await eventually(async () => {
    const { claims } = await feed.claim(10)
    await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
    forwarded.push(...claims)
    return forwarded.length >= count ? true : undefined
  }, `${count} claims`)
  return forwarded
}

t.test('the contract of a journal', (t) => {
  journalContract(t, create)
  t.end()
})

t.test('a second journal on the same data folder is refused, and reading beside the first works', async (t) => {
  const dataDir = t.testdir()
  const { journal } = journalIn(t, dataDir)
  await journal.start()
  await journal.append(sampleNewDelivery())
  await t.rejects(journalIn(t, dataDir).journal.start(), { code: 'DATA_FOLDER_IN_USE', message: /Another tierhook serves the data folder/ })
  const db = connect(dataDir)
  t.match(db.prepare('SELECT count(*) AS n FROM deliveries').get([]), { n: 1 })
  db.close()
  await journal.close()
  await journalIn(t, dataDir).journal.start()
})

t.test('a database of a newer schema version is refused, and nothing in it is changed', async (t) => {
  const dataDir = t.testdir()
  const first = journalIn(t, dataDir).journal
  await first.start()
  await first.close()
  const db = connect(dataDir)
  db.exec('PRAGMA user_version = 99')
  db.close()
  await t.rejects(journalIn(t, dataDir).journal.start(), { code: 'WRONG_DATABASE', message: /schema version 99/ })
})

t.test('a database of another program is refused', async (t) => {
  const dataDir = t.testdir()
  const db = connect(dataDir)
  db.exec('CREATE TABLE theirs (a)')
  db.close()
  await t.rejects(journalIn(t, dataDir).journal.start(), { code: 'WRONG_DATABASE' })
})

t.test('a data folder that cannot become usable by itself stops the start, with the reason', async (t) => {
  const folder = t.testdir({ blocked: 'a file', link: t.fixture('symlink', 'nowhere'), circle: t.fixture('symlink', 'circle') })
  const cases = [
    [['blocked'], /cannot be made \(EEXIST\): there is a file in its place/],
    [['blocked', 'data'], /cannot be made \(ENOTDIR\): a part of its path is a file/],
    [['link'], /cannot be made \(EEXIST\): .*a link that leads nowhere/],
    [['circle', 'data'], /cannot be made \(ELOOP\): its path leads through links in a circle/],
    [['x'.repeat(300)], /cannot be made \(ENAMETOOLONG\): its path is too long/]
  ] as const
  for (const [path, message] of cases) {
    await t.rejects(journalIn(t, join(folder, ...path)).journal.start(), { code: 'DATA_FOLDER_NOT_WRITABLE', message })
  }
})

t.test('a data folder is created with all its missing parents', async (t) => {
  const { journal } = journalIn(t, join(t.testdir(), 'a', 'b', 'c'))
  await journal.start()
  t.ok(journal.isOpen())
})

t.test('the journal reports the problem that it waits for, and also waits for problems that appear later', async (t) => {
  const { journal, threads, log } = journalIn(t, t.testdir())
  const failed = (error: Error) => async (method: string) => { if (method === 'open') throw error }
  const forbidden = Object.assign(new Error('attempt to write a readonly database', { cause: Object.assign(new Error('not you'), { code: 'EACCES' }) }), { code: 'SQLITE_READONLY' })
  threads.beforeWrite = failed(Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' }))
  await journal.start()
  t.equal(journal.trouble(), 'another program holds the database locked')
  threads.beforeWrite = failed(forbidden)
  await eventuallyTrue(() => journal.trouble() === 'tierhook has no right to write there', 'the journal to report the other reason')
  t.equal(await journal.probe(), 'tierhook has no right to write there')
  threads.beforeWrite = failed(new TypeError('a defect'))
  await eventuallyTrue(() => log.find('journal failed').length > 0, 'the defect to be logged')
  await t.rejects(journal.append(sampleNewDelivery()), { message: 'The webhook cannot be stored: tierhook failed: its log says how.' })
  threads.beforeWrite = async () => {}
  await eventuallyTrue(() => journal.isOpen(), 'the journal to be open')
  t.equal(journal.trouble(), undefined)
  t.match(log.find('journal cannot open'), [{ reason: 'another program holds the database locked' }, { reason: 'tierhook has no right to write there', advice: /user that tierhook runs as/ }])
  t.equal(log.find('journal failed').length, 1)
})

t.test('a start without the needed permissions ends, with the path', async (t) => {
  const dataDir = t.testdir()
  const { journal, threads } = journalIn(t, dataDir)
  threads.beforeWrite = async () => {
    throw Object.assign(new Error('unable to open database file', { cause: Object.assign(new Error('EACCES: permission denied, access'), { code: 'EACCES' }) }), { code: 'SQLITE_CANTOPEN' })
  }
  await t.rejects(journal.start(), { code: 'DATA_FOLDER_NOT_WRITABLE', message: `The data folder ${dataDir} cannot be written to: EACCES: permission denied, access. Let the user` })
  threads.beforeWrite = async () => {}
})

t.test('a data folder that cannot be written to stops the start, with its path', async (t) => {
  const dataDir = t.testdir({ 'tierhook.lock': {} })
  await t.rejects(journalIn(t, dataDir).journal.start(), { code: 'DATA_FOLDER_NOT_WRITABLE', message: `The data folder ${dataDir} cannot be written to` })
})

t.test('a data folder that may not be created stops the start, with its path', async (t) => {
  const parent = join(t.testdir({ locked: {} }), 'locked')
  await chmod(parent, 0o500)
  // Skipped for root, who may write everywhere.
  if (process.geteuid?.() === 0) {
    process.seteuid?.(65_534)
    t.teardown(() => { process.seteuid?.(0) })
  }
  const dataDir = join(parent, 'data')
  await t.rejects(journalIn(t, dataDir).journal.start(), { code: 'DATA_FOLDER_NOT_WRITABLE', message: `The data folder ${dataDir} cannot be made (EACCES)` })
})

t.test('a journal whose database another process locks waits for it, and misses no later event', async (t) => {
  const dataDir = t.testdir()
  const first = journalIn(t, dataDir).journal
  await first.start()
  await first.close()
  const blocker = connect(dataDir)
  blocker.exec('BEGIN EXCLUSIVE')
  const { journal, log } = journalIn(t, dataDir)
  await journal.start()
  t.equal(journal.isOpen(), false)
  await t.rejects(journal.append(sampleNewDelivery()), { code: 'JOURNAL_UNAVAILABLE' })
  const opening = journal.openFeed({ forwarder: 'late', order: 'none', start: 'now', onWork: () => {} })
  const opened = new Promise<void>((resolve) => { log.on('journal open', resolve) })
  blocker.close()
  await opened
  const { id } = await journal.append(sampleNewDelivery())
  const { claims } = await (await opening).claim(5)
  t.strictSame(claims.map(({ delivery }) => delivery.id), [id], 'a delivery accepted before the forwarder was registered is forwarded')
})

t.test('closing before the journal could open refuses feeds, and does not hang', async (t) => {
  const dataDir = t.testdir()
  const first = journalIn(t, dataDir).journal
  await first.start()
  await first.close()
  const blocker = connect(dataDir)
  blocker.exec('BEGIN EXCLUSIVE')
  t.teardown(() => { blocker.close() })
  const { journal } = journalIn(t, dataDir)
  await journal.start()
  const opening = journal.openFeed({ forwarder: 'late', order: 'none', start: 'now', onWork: () => {} })
  const refused = t.rejects(opening)
  await journal.close()
  await refused
})

t.test('replays that another process asks for while the service runs are noticed', async (t) => {
  const engine = await create(t)
  const journal = await engine.open()
  await journal.append(sampleNewDelivery())
  let onWork = (): void => {}
  const feed = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => { onWork() } })
  const { claims } = await feed.claim(1)
  await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
  t.strictSame((await feed.claim(1)).claims, [])
  const woken = new Promise<void>((resolve) => { onWork = resolve })
  await engine.replay('f', claims.map(({ delivery }) => delivery.sequence))
  await woken
  t.equal((await feed.claim(1)).claims[0]?.replay, true)
})

t.test('two replays of one delivery are read together', async (t) => {
  const engine = await create(t)
  const journal = await engine.open()
  const { id } = await journal.append(sampleNewDelivery({ customerId: null }))
  const feed = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  await forward(feed, 1)
  for (let replay = 0; replay < 2; replay++) await engine.replay('f', [1])
  t.strictSame((await forward(feed, 2)).map((claim) => ({ id: claim.delivery.id, replay: claim.replay })), [{ id, replay: true }, { id, replay: true }])
})

t.test('a replay of many deliveries does not delay new ones', async (t) => {
  const engine = await create(t)
  const journal = await engine.open()
  const appended = await appendMany(journal, 3000)
  t.equal(appended.length, 3000)
  const noticed = latch()
  const feed = await journal.openFeed({ forwarder: 'f', order: 'customer', start: 'now', onWork: noticed.open })
  await engine.replay('f', Array.from({ length: 3000 }, (_, index) => index + 1))
  await noticed.opened
  const { claims } = await feed.claim(600)
  t.ok(claims.length <= 512)
  const { id } = await journal.append(sampleNewDelivery({ index: 9999 }))
  t.ok((await feed.claim(600)).claims.some(({ delivery }) => delivery.id === id))
})

t.test('of many events that arrive at once, the first are stored without waiting for the others, which share one commit', async (t) => {
  const commits: number[] = []
  const { journal } = journalIn(t, t.testdir(), { onCommit: ({ deliveries }) => { commits.push(deliveries) } })
  await journal.start()
  await Promise.all(Array.from({ length: 100 }, async () => await journal.append(sampleNewDelivery())))
  t.strictSame(commits, [24, 76])
})
