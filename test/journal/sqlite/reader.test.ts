import { join } from 'node:path'
import t from 'tap'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { hookStatements } from '../../support/statement-hook.js'
import { recordsOf } from './stored.js'

t.test('a read whose transaction SQLite has ended by itself, as it does when the disk fails, tells its own end', (t) => {
  const path = join(t.testdir(), 'tierhook.db')
  const writer = createWriter(Date.now)
  writer.open({ path, dedupeWindowMs: 1000, withdrawn: [] })
  writer.commit({ withdraw: [], progress: [], appends: recordsOf(sampleNewDelivery()) })
  const reader = createReader(Date.now)
  reader.open(path)
  t.teardown(() => {
    reader.close()
    writer.close()
  })
  t.teardown(hookStatements((moment, sql, db) => {
    if (moment === 'after' && sql === 'BEGIN') db?.exec('ROLLBACK')
  }))
  t.equal(reader.readMany([1]).deliveries.length, 1)
  t.end()
})
