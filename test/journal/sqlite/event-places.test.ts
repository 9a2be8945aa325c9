import t from 'tap'
import { connect } from '../../../src/journal/sqlite/binding.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { createOperatorApi } from '../../../src/journal/sqlite/operator.js'
import { checksum, DELIVERY_COLUMNS, toRow } from '../../../src/journal/record.js'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { createJudge } from '../../../src/voucherify/judge.js'
import { type Folder, quarantinedDelivery, newDelivery, recordsOf } from './stored.js'
import { parseFilter } from '../../../src/forwarders/delivery-filter.js'

const options = { dedupeWindowMs: 86_400_000, withdrawn: [] }

/** As it was stored for a time: with the place of the event's text, which was part of the checksum. */
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

/** Takes from a closed database what the third version of the schema has brought, which no record in it may have. */
function toSecondVersion (path: string): void {
  const db = connect(path)
  db.exec('ALTER TABLE deliveries DROP COLUMN event_start; ALTER TABLE deliveries DROP COLUMN event_end; PRAGMA user_version = 2')
  db.close()
}

t.test('what was stored with the place of its event is sound, and is the same as what is stored without', async (t) => {
  const path = databasePath(t.testdir())
  append(path, [newDelivery()])
  const before = readAll(t, path)
  withPlace(path, 8, 20)
  const { deliveries, damaged } = readAll(t, path)
  t.strictSame({ deliveries, damaged }, { deliveries: before.deliveries, damaged: [] })
})

t.test('a place that is not the one that was stored is damage', async (t) => {
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

t.test('what was stored before places were is sound, is forwarded and released, and survives a salvage beside what came after', async (t) => {
  const dataDir = t.testdir()
  const path = databasePath(dataDir)
  const old = [newDelivery(), quarantinedDelivery({ rawBody: newDelivery().rawBody }), newDelivery()]
  append(path, old)
  toSecondVersion(path)
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
  t.equal(many([2])[0]?.id, old[1]?.id, 'what was released, too')
})
