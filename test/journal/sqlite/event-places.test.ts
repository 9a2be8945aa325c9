import t from 'tap'
import { connect } from '../../../src/journal/sqlite/binding.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { createOperatorApi } from '../../../src/journal/sqlite/operator-api.js'
import { packAppends } from '../../../src/journal/sqlite/packed-appends.js'
import { unpackDeliveries } from '../../../src/journal/sqlite/packed-deliveries.js'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { locateEvent } from '../../../src/voucherify/event-text.js'
import { createJudge } from '../../../src/voucherify/judge.js'
import { heldDelivery, newDelivery, openJournal, settleAll, type Folder } from './stored.js'
import { parseFilter } from '../../../src/forwarders/delivery-filter.js'

const options = { dedupeWindowMs: 86_400_000, withdrawn: [] }

function eventIn ({ rawBody, eventPlace }: { readonly rawBody: Uint8Array, readonly eventPlace?: { readonly start: number, readonly end: number } | undefined }): string | undefined {
  return eventPlace === undefined ? undefined : Buffer.from(rawBody.subarray(eventPlace.start, eventPlace.end)).toString()
}

function spaced (delivery: NewDelivery): NewDelivery {
  return { ...delivery, rawBody: Buffer.from(JSON.stringify(JSON.parse(Buffer.from(delivery.rawBody).toString()), undefined, 2)) }
}

function eventText ({ rawBody }: NewDelivery): string {
  return JSON.stringify((JSON.parse(Buffer.from(rawBody).toString()) as { data: unknown }).data)
}

function append (path: string, deliveries: readonly NewDelivery[]): void {
  const writer = createWriter({ now: Date.now, locateEvent })
  writer.open({ path, ...options })
  writer.commit({ withdraw: [], progress: [], appends: packAppends(deliveries) })
  writer.close()
}

function readAll (t: Folder, path: string) {
  const reader = createReader(Date.now)
  t.teardown(reader.close)
  reader.open({ path })
  const page = { after: 0, visible: 1e6, limit: 100, limitBytes: 1e9 }
  const { deliveries, damaged } = reader.readAfter(page)
  return { deliveries: unpackDeliveries(deliveries), many: (sequences: readonly number[]) => unpackDeliveries(reader.readMany({ sequences }).deliveries), damaged }
}

/** Takes from a closed database what the third version of the schema has brought, which no record in it may have. */
function toSecondVersion (path: string): void {
  const db = connect(path)
  db.exec('ALTER TABLE deliveries DROP COLUMN event_start; ALTER TABLE deliveries DROP COLUMN event_end; PRAGMA user_version = 2')
  db.close()
}

t.test('where an event stands is known at once and once it is read from the disk, of what is valid and on one line', async (t) => {
  const compact = newDelivery()
  const deliveries = [compact, spaced(newDelivery()), newDelivery({ verdict: 'unvalidated' }), newDelivery({ verdict: 'invalid' }), newDelivery({ rawBody: Buffer.from('{"customer":{}}') })]
  const expected = [eventText(compact), undefined, undefined, undefined, undefined]
  const { dataDir, append, feed, close } = await openJournal(t)
  await append(...deliveries)
  const live = await settleAll(await feed('live'), () => ({ status: 'forwarded' }))
  t.strictSame(live.map(({ delivery }) => eventIn(delivery)), expected)
  await close()
  const { deliveries: stored, many } = readAll(t, databasePath(dataDir))
  t.strictSame(stored.map(eventIn), expected)
  t.strictSame(many([1, 2, 3, 4, 5]).map(eventIn), expected, 'one by one')
})

t.test('a place that is not the one that was stored is damage', async (t) => {
  for (const change of ['event_start = event_start + 1', 'event_end = NULL', 'event_start = NULL', 'event_start = NULL, event_end = NULL']) {
    const path = databasePath(t.testdir())
    append(path, [newDelivery()])
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
  const old = [spaced(newDelivery()), heldDelivery({ rawBody: newDelivery().rawBody }), spaced(newDelivery())]
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
  t.strictSame({ places: before.deliveries.map(eventIn), damaged: before.damaged }, { places: [undefined, undefined, eventText(added)], damaged: [] })

  const writer = createWriter({ now: Date.now, locateEvent })
  t.match(writer.open({ path, ...options, damaged: true, above: 4 }).salvaged, { kept: 4, lost: 0 })
  writer.close()
  const { deliveries, many, damaged } = readAll(t, path)
  t.strictSame(deliveries, before.deliveries)
  t.strictSame(damaged, [])
  t.equal(many([2])[0]?.id, old[1]?.id, 'what was released, too')
})
