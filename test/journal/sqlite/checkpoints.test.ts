import { statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createCheckpoints } from '../../../src/journal/sqlite/checkpoints.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { newDelivery, now, recordsOf } from './stored.js'

const MEBIBYTE = 1024 * 1024

t.test('a checkpoint runs each time that enough was logged, and never two at once', async (t) => {
  const running: Array<() => void> = []
  const defects: unknown[] = []
  const { logged } = createCheckpoints(async () => { await new Promise<void>((resolve) => { running.push(resolve) }) }, (error) => { defects.push(error) })
  logged(Array.from({ length: 300 }, () => 2000))
  t.equal(running.length, 0)
  logged(Array.from({ length: 300 }, () => 2000))
  t.equal(running.length, 1)
  logged([4 * MEBIBYTE])
  t.equal(running.length, 1, 'no second checkpoint starts while one runs')
  running[0]?.()
  await nextTurn()
  logged([1])
  t.equal(running.length, 2, 'the next checkpoint starts at once after it')
  t.strictSame(defects, [])
})

t.test('a failed checkpoint is reported, and the next one still starts', async (t) => {
  const defects: unknown[] = []
  let count = 0
  const { logged } = createCheckpoints(async () => {
    count++
    throw new Error('a defect')
  }, (error) => { defects.push(error) })
  logged([4 * MEBIBYTE])
  await nextTurn()
  logged([4 * MEBIBYTE])
  await nextTurn()
  t.equal(count, 2)
  t.match(defects, [{ message: 'a defect' }, { message: 'a defect' }])
})

t.test('the reader copies the WAL into the database, beside a writer that continues', async (t) => {
  const path = databasePath(t.testdir())
  const writer = createWriter(() => now)
  const reader = createReader(() => now)
  t.teardown(() => {
    writer.close()
    reader.close()
  })
  writer.open({ path, dedupeWindowMs: 1000, withdrawn: [] })
  reader.open(path)
  const append = (): void => { writer.commit({ withdraw: [], progress: [], appends: recordsOf(...Array.from({ length: 50 }, () => newDelivery({ rawBody: Buffer.alloc(10_000, 0x20) }))) }) }
  append()
  const before = statSync(path).size
  t.ok(before < 50 * 10_000, 'before the checkpoint, the bodies are only in the write-ahead log')
  reader.checkpoint()
  t.ok(statSync(path).size > 50 * 10_000, 'after the checkpoint, the bodies are in the database')
  append()
  reader.checkpoint()
  t.ok(statSync(path).size > 100 * 10_000)
  t.equal(reader.readAfter({ after: 0, visible: 100, limit: 200, limitBytes: 1e9 }).damaged.length, 0)
})
