import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { prune, usedBytes } from '../../../src/journal/sqlite/prune.js'
import { release } from '../../../src/journal/sqlite/operator/release.js'
import { openForWriting } from '../../../src/journal/sqlite/database.js'
import { pruneAll } from '../../../src/journal/upkeep.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { captureLog } from '../../support/capture-log.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { recordsOf } from './stored.js'

const DAY_MS = 86_400_000

function filled (dataDir: string, count: number, options: { readonly receivedAt: number, readonly bytes?: number }) {
  const path = join(dataDir, 'tierhook.db')
  const writer = createWriter(Date.now)
  writer.open({ path, dedupeWindowMs: 7 * DAY_MS, withdrawn: [] })
  const appends = Array.from({ length: count }, (_, index) => sampleNewDelivery({
    index, receivedAt: options.receivedAt, ...(options.bytes === undefined ? {} : { rawBody: Buffer.alloc(options.bytes) })
  }))
  writer.commit({ withdraw: [], progress: [], appends: recordsOf(...appends) })
  const cursor = (forwarder: string, to: number): void => {
    writer.registerFeed({ forwarder, cursor: 0 })
    writer.commit({ withdraw: [], appends: [], progress: [{ forwarder, term: 1, cursor: to, position: undefined, breaker: undefined, changes: [], records: [] }] })
  }
  const db = openForWriting(path)
  const sequences = (): number[] => (db.prepare('SELECT sequence FROM deliveries ORDER BY sequence').all([]) as Array<{ sequence: number }>).map(({ sequence }) => sequence)
  const keys = (): number => (db.prepare('SELECT count(*) AS n FROM dedupe_keys').get([]) as { n: number }).n
  return { path, writer, db, cursor, sequences, keys }
}

const old = Date.now() - 40 * DAY_MS
const limits = { now: Date.now(), quarantinedBefore: -Infinity, receivedBefore: Date.now() - 30 * DAY_MS, maxBytes: 0, keysBefore: Date.now() - 7 * DAY_MS, limit: 10, after: 0 }

t.test('only deliveries that every forwarder has finished are removed, also counting forwarders that are no longer configured', (t) => {
  const { db, cursor, sequences } = filled(t.testdir(), 9, { receivedAt: old })
  cursor('quick', 9)
  cursor('slow', 5)
  t.match(prune(db, limits), { removed: 5, next: undefined })
  t.strictSame(sequences(), [6, 7, 8, 9])
  t.end()
})

t.test('deliveries that wait, are dead letters or are quarantined stay, however old', (t) => {
  const { db, cursor, sequences } = filled(t.testdir(), 6, { receivedAt: old })
  cursor('f', 6)
  db.exec(`UPDATE deliveries SET hold = 1 WHERE sequence = 1;
    INSERT INTO waiting (forwarder, replay, sequence, attempt, waited_ms, delay_ms, due_at) VALUES ('f', 0, 2, 1, 0, 0, 0), ('gone', 7, 3, 1, 0, 0, 0);
    INSERT INTO dead_letters (forwarder, sequence, died_at, attempts, reason) VALUES ('f', 4, 0, 1, 'x')`)
  prune(db, limits)
  t.strictSame(sequences(), [1, 2, 3, 4])
  t.end()
})

t.test('young deliveries stay, unless the store is too large', (t) => {
  const { db, cursor, sequences, keys } = filled(t.testdir(), 9, { receivedAt: Date.now() })
  cursor('f', 9)
  t.match(prune(db, limits), { removed: 0, next: undefined })
  t.equal(keys(), 9)
  t.match(prune(db, { ...limits, maxBytes: 1 }), { removed: 9 })
  t.strictSame(sequences(), [])
  t.equal(keys(), 9, 'the keys stay, so duplicates are still recognised')
  t.end()
})

t.test('a finished replay is removed, but not while something of it waits or an attempt of it is kept; the last one stays for its number', (t) => {
  const { db, cursor } = filled(t.testdir(), 2, { receivedAt: old })
  cursor('f', 2)
  const young = Date.now()
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
    INSERT INTO replays (requested_at, description) SELECT CASE WHEN i = 18 THEN ${young} ELSE ${old} END, 'x' FROM n;
    INSERT INTO waiting (forwarder, replay, sequence, attempt, waited_ms, delay_ms, due_at) VALUES ('f', 3, 1, 1, 0, 0, 0), ('gone', 7, 1, 1, 0, 0, 0);
    INSERT INTO attempts (sequence, forwarder, replay, attempt, started_at, duration_ms, outcome) VALUES (1, 'f', 2, 1, 0, 1, 'forwarded'), (2, 'f', 5, 1, 0, 1, 'forwarded')`)
  const left = (): number[] => (db.prepare('SELECT number FROM replays ORDER BY number').all([]) as Array<{ number: number }>).map(({ number }) => number)
  t.match(prune(db, { ...limits, limit: 9 }), { removed: 1, next: 2 }, 'one step removes at most 9 replays')
  t.equal(left().length, 11)
  t.match(prune(db, { ...limits, after: 2 }), { next: undefined })
  t.strictSame(left(), [2, 3, 7, 18, 20])
  t.end()
})

t.test('if there never was a forwarder, old deliveries are removed without waiting for one', (t) => {
  const { db, sequences } = filled(t.testdir(), 3, { receivedAt: old })
  prune(db, limits)
  t.strictSame(sequences(), [])
  t.end()
})

t.test('a key stays as long as its delivery, and one that outlives it is removed when it is old enough', (t) => {
  const { db, cursor, sequences, keys } = filled(t.testdir(), 30, { receivedAt: old })
  cursor('f', 30)
  db.exec('UPDATE deliveries SET hold = 1 WHERE sequence <= 20')
  const sweep = (keysBefore: number): void => { for (let after: number | undefined = 0; after !== undefined;) after = prune(db, { ...limits, keysBefore, after }).next }
  sweep(old - 1)
  t.equal(sequences().length, 20)
  t.equal(keys(), 30, 'the keys are not old enough to remove')
  // One sweep checks this number of keys, and the next one continues there.
  for (let sweeps = 0; sweeps < 4; sweeps++) sweep(limits.keysBefore)
  t.equal(keys(), 20)
  const orphans = db.prepare('SELECT count(*) AS n FROM dedupe_keys k WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.sequence = k.sequence)').get([])
  t.match(orphans, { n: 0 })
  t.end()
})

t.test('many deliveries that must stay are skipped in small steps, and the space of others is given back', async (t) => {
  const { path, writer, db, cursor, sequences, keys } = filled(t.testdir(), 900, { receivedAt: old, bytes: 8192 })
  cursor('f', 900)
  db.exec('UPDATE deliveries SET hold = 1 WHERE sequence <= 450')
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const before = { file: statSync(path).size, used: usedBytes(db) }
  const log = captureLog()
  await pruneAll({
    now: Date.now,
    isClockSteady: () => true,
    leads: () => true,
    logger: log.logger,
    dedupeWindowMs: 7 * DAY_MS,
    retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 },
    signal: new AbortController().signal,
    prune: async (step) => writer.prune(step)
  })
  t.equal(sequences().length, 450)
  t.equal(keys(), 450, 'the keys of the remaining deliveries stay')
  t.match(log.find('journal pruned'), [{ removed: 450 }])
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  t.ok(usedBytes(db) < before.used * 0.6)
  t.ok(statSync(path).size < before.file * 0.6)
})

t.test('records that a wrong clock dated in the future are removed with later ones, and do not hide records behind them', (t) => {
  const { db, cursor, sequences } = filled(t.testdir(), 40, { receivedAt: old })
  cursor('f', 40)
  const future = Date.now() + 365 * DAY_MS
  // The clock was a year ahead, then right again. The newest record is young.
  db.exec(`UPDATE deliveries SET received_at = ${future} WHERE sequence BETWEEN 1 AND 25; UPDATE deliveries SET received_at = ${Date.now()} WHERE sequence > 38`)
  let after: number | undefined = 0
  while (after !== undefined) after = prune(db, { ...limits, after }).next
  t.strictSame(sequences(), [39, 40])
  db.exec(`UPDATE deliveries SET received_at = ${future}`)
  t.match(prune(db, limits), { removed: 0, next: undefined }, 'deliveries dated in the future stay if no later one has a right time')
  t.end()
})

t.test('quarantined deliveries are removed when they are too old, and not before', (t) => {
  const { db, cursor, sequences } = filled(t.testdir(), 6, { receivedAt: old })
  cursor('f', 6)
  db.exec(`UPDATE deliveries SET hold = 1; UPDATE deliveries SET received_at = ${Date.now()} WHERE sequence > 4`)
  t.match(prune(db, limits), { removed: 0, evicted: 0 })
  t.match(prune(db, { ...limits, quarantinedBefore: Date.now() - 30 * DAY_MS }), { removed: 4, evicted: 0 })
  t.strictSame(sequences(), [5, 6])
  t.end()
})

t.test('a flood of quarantined events evicts its own oldest ones, and no good delivery', async (t) => {
  const { writer, db, cursor, sequences } = filled(t.testdir(), 400, { receivedAt: Date.now(), bytes: 8192 })
  cursor('f', 400)
  db.exec('UPDATE deliveries SET hold = 1 WHERE sequence > 200')
  const log = captureLog()
  let told = 0
  await pruneAll({
    now: Date.now,
    isClockSteady: () => true,
    leads: () => true,
    logger: log.logger,
    dedupeWindowMs: 7 * DAY_MS,
    retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 3_200_000 },
    onEvicted: (count) => { told += count },
    signal: new AbortController().signal,
    prune: async (step) => writer.prune(step)
  })
  const left = sequences()
  t.equal(left.filter((sequence) => sequence <= 200).length, 200, 'no delivery outside quarantine is removed')
  const held = left.filter((sequence) => sequence > 200)
  t.ok(held.length > 50 && held.length < 100, `${held.length} of 200 quarantined deliveries are left`)
  t.equal(held.at(-1), 400, 'the newest quarantined delivery is left')
  t.equal(told, 200 - held.length)
  t.match(log.find('quarantine full, its oldest deliveries removed'), [{ evicted: told, level: 50 }])
})

t.test('a delivery that is released just when the quarantine is pruned is not removed', (t) => {
  const { writer, db, path, cursor, sequences } = filled(t.testdir(), 0, { receivedAt: old })
  writer.commit({ withdraw: [], progress: [], appends: recordsOf(...[1, 2, 3].map((index) => sampleNewDelivery({ index, receivedAt: old, quarantined: true }))) })
  cursor('f', 3)
  const person = openForWriting(path)
  let released = false
  // A writer waits for a release that is under way.
  const exec = (sql: string): void => {
    if (sql === 'BEGIN IMMEDIATE' && !released) {
      released = true
      t.match(release(person, { sequences: [2], force: true }, () => ({ verdict: 'valid', faults: [] }), Date.now()), [{ status: 'released' }])
    }
    db.exec(sql)
  }
  t.match(prune({ ...db, exec }, { ...limits, quarantinedBefore: Date.now() }), { removed: 2 })
  t.strictSame(sequences(), [2])
  t.end()
})
