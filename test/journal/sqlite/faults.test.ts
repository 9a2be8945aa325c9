import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connect } from '../../../src/journal/sqlite/binding.js'
import { systemClock } from '../../../src/delivery/clock.js'
import { createWholeJournal, type WholeJournalOptions } from '../../support/whole-journal.js'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { captureLog } from '../../support/capture-log.js'
import { latch } from '../../support/latch.js'
import { localThreads } from '../../support/local-threads.js'
import { appendMany, sampleNewDelivery } from '../../support/sample-delivery.js'

const DAY_MS = 86_400_000

async function openIn (t: Test, dataDir: string, overrides: Partial<WholeJournalOptions> = {}) {
  const log = captureLog()
  const threads = localThreads()
  const journal = createWholeJournal({
    dataDir, logger: log.logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, threads, ...overrides
  })
  t.teardown(async () => { await journal.close() })
  await journal.start()
  return { journal, log, threads }
}

function stored (dataDir: string): string[] {
  const db = connect(join(dataDir, 'tierhook.db'))
  const rows = db.prepare('SELECT id FROM deliveries ORDER BY sequence').all([]) as Array<{ id: string }>
  db.close()
  return rows.map(({ id }) => id)
}

t.test('a commit that succeeds after its 503 is taken back before it can be read', async (t) => {
  const dataDir = t.testdir()
  const { journal, threads } = await openIn(t, dataDir, { storeTimeoutMs: 50 })
  const feed = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  const stall = latch()
  const committed = latch()
  threads.afterWrite = async (method) => {
    if (method !== 'commit') return
    committed.open()
    await stall.opened
  }
  const late = sampleNewDelivery({ dedupeKey: 'same' })
  const append = journal.append(late)
  await committed.opened
  t.strictSame(stored(dataDir), [late.id], 'the delivery is already on disk')
  await t.rejects(append, { code: 'JOURNAL_UNAVAILABLE' })
  t.equal(readFileSync(join(dataDir, 'withdrawn'), 'utf8'), `${late.id}\n`)
  t.strictSame((await feed.claim(5)).claims, [])
  threads.afterWrite = async () => {}
  stall.open()
  const retried = sampleNewDelivery({ dedupeKey: 'same' })
  for (;;) {
    const answer = await journal.append(retried).catch(() => undefined)
    if (answer === undefined) continue
    t.equal(answer.status, 'stored', 'a refused event is no duplicate when it comes again')
    break
  }
  t.strictSame(stored(dataDir), [retried.id])
  t.strictSame((await feed.claim(5)).claims.map(({ delivery }) => delivery.id), [retried.id])
})

t.test('a duplicate that shares the commit with a first copy that was refused meanwhile is refused too', async (t) => {
  const dataDir = t.testdir()
  const { journal, threads } = await openIn(t, dataDir, { storeTimeoutMs: 3000 })
  const stalls = [latch(), latch()]
  let commits = 0
  threads.beforeWrite = async (method) => { if (method === 'commit') await stalls[commits++]?.opened }
  const ahead = journal.append(sampleNewDelivery())
  while (commits === 0) await sleep(5)
  const first = journal.append(sampleNewDelivery({ dedupeKey: 'same' }))
  // Time that the second copy has left when that of the first is over.
  await sleep(1000)
  const copy = journal.append(sampleNewDelivery({ dedupeKey: 'same' }))
  // The time that it is on its way to the store.
  for (let each = 0; each < 5; each++) await turn()
  stalls[0]?.open()
  await ahead
  await t.rejects(first, { code: 'JOURNAL_UNAVAILABLE' })
  stalls[1]?.open()
  await t.rejects(copy, { code: 'JOURNAL_UNAVAILABLE' })
  t.equal((await journal.append(sampleNewDelivery({ dedupeKey: 'same' }))).status, 'stored')
  t.equal(stored(dataDir).length, 2)
})

t.test('a withdrawal that could not be done before the end is done at the next start', async (t) => {
  const dataDir = t.testdir()
  const first = await openIn(t, dataDir, { storeTimeoutMs: 50 })
  const stall = latch()
  first.threads.afterWrite = async (method) => { if (method === 'commit') await stall.opened }
  const delivery = sampleNewDelivery()
  await t.rejects(first.journal.append(delivery), { code: 'JOURNAL_UNAVAILABLE' })
  t.strictSame(stored(dataDir), [delivery.id])
  await first.journal.close()
  t.equal(first.log.find('journal closed while the disk does not answer').length, 1)
  stall.open()
})

t.test('a store thread that ends is replaced: events under way are refused, and the next webhook is stored', async (t) => {
  const dataDir = t.testdir()
  const { journal, threads, log } = await openIn(t, dataDir)
  const feed = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  const stall = latch()
  const begun = latch()
  threads.beforeWrite = async (method) => {
    if (method !== 'commit') return
    begun.open()
    await stall.opened
  }
  const lost = journal.append(sampleNewDelivery())
  await begun.opened
  threads.endStore()
  threads.beforeWrite = async () => {}
  stall.open()
  await t.rejects(lost, { code: 'JOURNAL_UNAVAILABLE' })
  await t.rejects(journal.append(sampleNewDelivery()), { code: 'JOURNAL_UNAVAILABLE' })
  let id: string | undefined
  while (id === undefined) {
    id = (await journal.append(sampleNewDelivery()).catch(() => undefined))?.id
    await sleep(20)
  }
  let claimed: readonly string[] = []
  while (claimed.length === 0) {
    await sleep(20)
    claimed = await Promise.resolve(feed.claim(5)).then(({ claims }) => claims.map(({ delivery }) => delivery.id), () => [])
  }
  t.strictSame(claimed, [id])
  t.equal(log.find('journal thread failed').length, 1)
})

t.test('an attempt is recorded once, also if the store thread ends between its commit and its answer', async (t) => {
  const dataDir = t.testdir()
  const { journal, threads, log } = await openIn(t, dataDir)
  await journal.append(sampleNewDelivery())
  const feed = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  const { claims } = await feed.claim(1)
  threads.afterWrite = async () => {
    threads.afterWrite = async () => {}
    threads.endStore()
  }
  await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' }, record: { startedAt: 1, durationMs: 1 } })))
  t.equal(log.find('journal thread failed').length, 1)
  const db = connect(join(dataDir, 'tierhook.db'))
  t.teardown(db.close)
  t.strictSame(db.prepare('SELECT sequence, attempt FROM attempts').all().map((row) => ({ ...row })), [{ sequence: 1, attempt: 1 }])
})

t.test('progress that cannot be stored keeps no webhook from the disk, and is reported once', async (t) => {
  const dataDir = t.testdir()
  const { journal, log } = await openIn(t, dataDir)
  await journal.append(sampleNewDelivery())
  const feed = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  const { claims } = await feed.claim(1)
  const db = connect(join(dataDir, 'tierhook.db'), { lockTimeoutMs: 5000 })
  db.exec("CREATE TRIGGER broken BEFORE UPDATE ON forwarders BEGIN SELECT raise(ABORT, 'broken'); END")
  const settled = feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
  for (let count = 0; count < 3; count++) t.equal((await journal.append(sampleNewDelivery())).status, 'stored')
  t.equal(log.find('journal cannot store progress').length, 1)
  db.exec('DROP TRIGGER broken')
  db.close()
  await settled
  t.equal(log.find('journal commits again').length, 1)
})

t.test('a failed read is repeated, and loses nothing', async (t) => {
  const dataDir = t.testdir()
  const first = await openIn(t, dataDir)
  const sent = [1, 2, 3].map((index) => sampleNewDelivery({ index, customerId: 'a' }))
  for (const delivery of sent) await first.journal.append(delivery)
  await first.journal.close()
  let failures = 0
  const reader = createReader(Date.now)
  const failing = <P extends unknown[], R>(read: (...parameters: P) => R) => (...parameters: P): R => {
    if (failures-- > 0) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' })
    return read(...parameters)
  }
  const { readAfter, readMany, readDue, readLanes, readMarks } = reader
  const { journal } = await openIn(t, dataDir, {
    reader: { ...reader, readAfter: failing(readAfter), readMany: failing(readMany), readDue: failing(readDue), readLanes: failing(readLanes), readMarks: failing(readMarks) }
  })
  for (const order of ['customer', 'arrival'] as const) {
    const feed = await journal.openFeed({ forwarder: order, order, start: 'beginning', onWork: () => {} })
    failures = 3
    const seen: string[] = []
    for (let turn = 0; turn < 20 && seen.length < 3; turn++) {
      const claimed = await Promise.resolve(feed.claim(1)).catch(() => undefined)
      for (const claim of claimed?.claims ?? []) {
        failures = seen.length === 0 ? 2 : 0
        // The first is retried, so that the feed must read it and its lane again.
        if (claim.attempt === 1 && seen.length === 0) await feed.settle([{ claim, result: { status: 'retry', reason: 'down', delayMs: 0 } }])
        else {
          seen.push(claim.delivery.id)
          await feed.settle([{ claim, result: { status: 'forwarded' } }])
        }
      }
    }
    t.strictSame(seen, sent.map(({ id }) => id), order)
  }
})

t.test('damaged deliveries, however many, delay no later ones', async (t) => {
  const dataDir = t.testdir()
  const first = await openIn(t, dataDir)
  await appendMany(first.journal, 1500)
  const last = await first.journal.append(sampleNewDelivery())
  await first.journal.close()
  const db = connect(join(dataDir, 'tierhook.db'))
  db.exec('UPDATE bodies SET raw_body = x\'00\' WHERE sequence <= 1500')
  db.close()
  const { journal, log } = await openIn(t, dataDir)
  for (const order of ['none', 'arrival'] as const) {
    const feed = await journal.openFeed({ forwarder: order, order, start: 'beginning', onWork: () => {} })
    t.strictSame((await feed.claim(10)).claims.map(({ delivery }) => delivery.id), [last.id])
  }
  t.ok(log.find('damaged records set aside').length > 0)
})

t.test('a clock that steps by an hour, back or forward, neither loses a retry nor makes it wait too long', async (t) => {
  const dataDir = t.testdir()
  const first = await openIn(t, dataDir)
  for (const index of [1, 2]) await first.journal.append(sampleNewDelivery({ index, customerId: null }))
  const feed = await first.journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  const { claims } = await feed.claim(2)
  await feed.settle(claims.map((claim) => ({ claim, result: { status: 'retry', reason: 'down', delayMs: 60_000 } })))
  await first.journal.close()
  const db = connect(join(dataDir, 'tierhook.db'))
  // The state after a clock was set back, or forward, by an hour.
  db.exec('UPDATE waiting SET due_at = due_at + 3600000 WHERE sequence = 1; UPDATE waiting SET due_at = due_at - 3600000 WHERE sequence = 2')
  db.close()
  const { journal } = await openIn(t, dataDir)
  const again = await journal.openFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} })
  const claimed = await again.claim(2)
  t.strictSame(claimed.claims.map(({ delivery }) => delivery.sequence), [2])
  const { dueInMs } = await again.claim(2)
  t.ok(dueInMs !== undefined && dueInMs <= 60_000 && dueInMs > 50_000)
})
