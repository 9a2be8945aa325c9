import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../../src/journal/sqlite/binding.js'
import { systemClock } from '../../../src/delivery/clock.js'
import { lockForWriting } from '../../../src/journal/sqlite/data-lock.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { createWholeJournal } from '../../support/whole-journal.js'
import { captureLog } from '../../support/capture-log.js'
import { eventually } from '../../support/eventually.js'
import { localThreads } from '../../support/local-threads.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { destroyPage, makeStore } from './stored.js'

const DAY_MS = 86_400_000
/** Whether this process holds a lock on a file, according to the kernel. */
function isLocked (path: string): boolean {
  const { ino } = statSync(path)
  return readFileSync('/proc/locks', 'utf8').split('\n').some((line) => line.includes(` ${process.pid} `) && line.includes(`:${ino} `))
}

function count (path: string): number {
  const db = connect(path)
  const { n } = db.prepare('SELECT count(*) AS n FROM deliveries').get() as { n: number }
  db.close()
  return n
}

t.test('a restarted writer leaves the process its locks: no other process takes itself for the only user of the WAL', { skip: existsSync('/proc/locks') ? false : 'needs /proc/locks' }, async (t) => {
  const dataDir = t.testdir()
  const threads = localThreads()
  const journal = createWholeJournal({
    dataDir, logger: captureLog().logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: DAY_MS, maxBytes: 0 }, threads
  })
  t.teardown(journal.close)
  await journal.start()
  await journal.append(sampleNewDelivery())
  t.ok(isLocked(databasePath(dataDir)))
  threads.endStore()
  await eventually(async () => await journal.append(sampleNewDelivery()).then(() => true, () => undefined), 'the new store thread to commit')
  t.ok(isLocked(databasePath(dataDir)))
})

t.test('after a clean stop everything is in the database file: a copy of it alone is complete', async (t) => {
  for (let round = 0; round < 5; round++) {
    const dataDir = join(t.testdir(), `data-${round}`)
    const journal = createWholeJournal({
      dataDir, logger: captureLog().logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: DAY_MS, maxBytes: 0 }
    })
    await journal.start()
    const feed = await journal.openFeed({ forwarder: 'f', order: 'customer', start: 'beginning', onWork: () => {} })
    for (let each = 0; each < 20; each++) await journal.append(sampleNewDelivery())
    await feed.claim(5)
    await journal.close()
    copyFileSync(databasePath(dataDir), join(dataDir, 'cold.db'))
    t.equal(count(join(dataDir, 'cold.db')), 20)
  }
})

t.test('a salvage waits for a command that writes, so nothing is committed to a file that is set aside', async (t) => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 400 }, () => sampleNewDelivery()))
  store.close()
  const place = lockForWriting(store.dataDir)
  destroyPage(store.dataDir, 1)
  const log = captureLog()
  const journal = createWholeJournal({
    dataDir: store.dataDir, logger: log.logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: DAY_MS, maxBytes: 0 }
  })
  t.teardown(journal.close)
  const before = statSync(databasePath(store.dataDir)).ino
  const started = journal.start()
  await eventually(() => log.lines.some(({ msg }) => msg === 'journal cannot open') ? true : undefined, 'the start to fail because it could not salvage')
  t.equal(statSync(databasePath(store.dataDir)).ino, before, 'the database file was not replaced')
  place.release()
  await started
  await eventually(() => journal.isOpen() ? true : undefined, 'the salvage to finish')
  t.not(statSync(databasePath(store.dataDir)).ino, before)
})
