import t from 'tap'
import { connect } from '../../../src/journal/sqlite/binding.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import { closeAfterWriting, databasePath, openForWriting } from '../../../src/journal/sqlite/database.js'
import { createOperatorApi } from '../../../src/journal/sqlite/operator.js'
import { checksum, DELIVERY_COLUMNS, INSERT_DELIVERY, recordText, recordValues, textChecksum, toRow } from '../../../src/journal/record.js'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { migrate, SCHEMA_VERSION } from '../../../src/journal/sqlite/schema.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { createJudge } from '../../../src/voucherify/judge.js'
import { type Folder, quarantinedDelivery, newDelivery, recordsOf } from './stored.js'
import { parseFilter } from '../../../src/forwarders/delivery-filter.js'

const options = { dedupeWindowMs: 86_400_000, withdrawn: [] }

/** A record as it was stored for some time: with the body range of the event, which was part of the checksum. */
function withPlace (path: string, start: number, end: number): void {
  const db = connect(path)
  const row = toRow(db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d`).get())
  const { rawBody } = db.prepare('SELECT raw_body AS rawBody FROM bodies').get() as { rawBody: Uint8Array }
  if (row === undefined) throw new Error('There is no delivery')
  db.prepare('UPDATE deliveries SET event_start = ?, event_end = ?, checksum = ?').run([start, end, checksum({ ...row, event_start: start, event_end: end }, rawBody)])
  db.close()
}

function append (path: string, deliveries: readonly NewDelivery[]): void {
  const writer = createWriter(Date.now)
  writer.open({ path, ...options })
  writer.commit({ withdraw: [], progress: [], appends: recordsOf(...deliveries) })
  writer.close()
}

function readAll (t: Folder, path: string) {
  const reader = createReader(Date.now)
  t.teardown(reader.close)
  reader.open(path)
  const page = { after: 0, visible: 1e6, limit: 100, limitBytes: 1e9 }
  const { deliveries, damaged } = reader.readAfter(page)
  return { deliveries, many: (sequences: readonly number[]) => reader.readMany(sequences).deliveries, damaged }
}

/** A database of an earlier schema version, with a delivery that waits. */
function writeVersion (version: number, path: string, deliveries: readonly NewDelivery[]): void {
  const db = openForWriting(path)
  migrate(db, version)
  const insert = db.prepare(INSERT_DELIVERY)
  const insertBody = db.prepare('INSERT INTO bodies (sequence, raw_body) VALUES (?, ?)')
  for (const delivery of deliveries) {
    const values = recordValues(delivery)
    const { lastInsertRowid } = insert.run([...values, textChecksum(recordText(values), delivery.rawBody)])
    insertBody.run([Number(lastInsertRowid), delivery.rawBody])
  }
  db.exec(`INSERT INTO forwarders (name, cursor, added_at) VALUES ('http', 1, 0);
    INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at) VALUES ('http', 0, 1, 'cust_1', 2, 0, 0, 0)`)
  closeAfterWriting(db)
}

t.test('a record with the body range of its event is intact, and reads the same as one without', async (t) => {
  const path = databasePath(t.testdir())
  append(path, [newDelivery()])
  const before = readAll(t, path)
  withPlace(path, 8, 20)
  const { deliveries, damaged } = readAll(t, path)
  t.strictSame({ deliveries, damaged }, { deliveries: before.deliveries, damaged: [] })
})

t.test('a body range that differs from the stored one is damage', async (t) => {
  for (const change of ['event_start = event_start + 1', 'event_end = NULL', 'event_start = NULL', 'event_start = NULL, event_end = NULL']) {
    const path = databasePath(t.testdir())
    append(path, [newDelivery()])
    withPlace(path, 8, 20)
    const db = connect(path)
    db.exec(`UPDATE deliveries SET ${change}`)
    db.close()
    const { deliveries, damaged } = readAll(t, path)
    t.strictSame({ deliveries, damaged }, { deliveries: [], damaged: [1] }, change)
  }
})

for (let version = 1; version <= SCHEMA_VERSION; version++) {
  t.test(`a store of schema version ${version} is migrated in place, and keeps everything`, async (t) => {
    const path = databasePath(t.testdir())
    const old = [newDelivery(), quarantinedDelivery(), newDelivery()]
    writeVersion(version, path, old)
    const writer = createWriter(Date.now)
    t.match(writer.open({ path, ...options }), { lastSequence: 3, salvaged: undefined })
    writer.close()
    const { deliveries, many, damaged } = readAll(t, path)
    t.strictSame({ ids: deliveries.map(({ id }) => id), damaged }, { ids: [old[0]?.id, old[2]?.id], damaged: [] })
    t.match(many([2])[0], { id: old[1]?.id, quarantined: true })
    const db = connect(path)
    t.match(db.prepare('SELECT name, cursor, paused FROM forwarders').all(), [{ name: 'http', cursor: 1, paused: 0 }])
    t.match(db.prepare('SELECT sequence, attempt, behind FROM waiting').all(), [{ sequence: 1, attempt: 2, behind: 0 }])
    db.close()
  })

  t.test(`a damaged store of schema version ${version} is salvaged without a migration first`, async (t) => {
    const path = databasePath(t.testdir())
    const old = [newDelivery(), quarantinedDelivery(), newDelivery()]
    writeVersion(version, path, old)
    const writer = createWriter(Date.now)
    t.match(writer.open({ path, ...options, damaged: true }).salvaged, { kept: 3, lost: 0, damagedPages: 0, forwardersLost: false }, 'the structure of the database is intact')
    writer.close()
    const { deliveries, many, damaged } = readAll(t, path)
    t.strictSame({ ids: deliveries.map(({ id }) => id), damaged }, { ids: [old[0]?.id, old[2]?.id], damaged: [] })
    t.match(many([2])[0], { id: old[1]?.id, quarantined: true })
  })
}

t.test('records from before body ranges are intact, are forwarded and released, and survive a salvage beside later ones', async (t) => {
  const dataDir = t.testdir()
  const path = databasePath(dataDir)
  const old = [newDelivery(), quarantinedDelivery({ rawBody: newDelivery().rawBody }), newDelivery()]
  writeVersion(2, path, old)
  const added = newDelivery()
  append(path, [added])

  const operator = createOperatorApi({ judge: createJudge(), parseFilter, now: Date.now })
  operator.open({ dataDir })
  t.strictSame(operator.verify({ after: 0, limit: 100 }).damaged, [])
  t.match(operator.release({ sequences: [2], force: false }), [{ status: 'released', verdict: 'valid' }])
  operator.close()

  const before = readAll(t, path)
  t.strictSame({ ids: before.deliveries.map(({ id }) => id), damaged: before.damaged }, { ids: [old[0]?.id, old[2]?.id, added.id], damaged: [] })

  const writer = createWriter(Date.now)
  t.match(writer.open({ path, ...options, damaged: true, above: 4 }).salvaged, { kept: 4, lost: 0 })
  writer.close()
  const { deliveries, many, damaged } = readAll(t, path)
  t.strictSame(deliveries, before.deliveries)
  t.strictSame(damaged, [])
  t.equal(many([2])[0]?.id, old[1]?.id, 'released deliveries are kept too')
})
