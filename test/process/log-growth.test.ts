import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

t.test('a program that reads for long makes the write-ahead log grow: the log reports it once, and again when the write-ahead log is short', async (t) => {
  const dataDir = t.testdir()
  const service = await startServiceProcess(dataDir)
  t.teardown(async () => { await service.kill('SIGKILL') })
  t.equal((await postEvent(service.url, 'ev_before')).status, 202)
  const path = join(dataDir, 'tierhook.db')
  const reader = connect(path)
  t.teardown(reader.close)
  reader.exec('BEGIN; SELECT count(*) FROM deliveries')
  // About as much as webhooks write in some minutes.
  const writer = connect(path, { lockTimeoutMs: 5000 })
  writer.exec("INSERT INTO replays (requested_at, description) VALUES (1, hex(zeroblob(135000000))); UPDATE replays SET description = ''")
  writer.close()

  const lines = (message: string): string[] => service.log().split('\n').filter((line) => line.includes(`"msg":"${message}"`))
  await eventuallyTrue(() => lines('write-ahead log grows').length > 0, 'a line in the log')
  t.match(lines('write-ahead log grows')[0], /"level":40.*"bytes":2[78]\d{7},"advice":".*fuser tierhook\.db/)
  t.equal((await postEvent(service.url, 'ev_while')).status, 202, 'events are accepted while the log grows')

  reader.exec('COMMIT')
  // The first checkpoint copies the WAL, and the next one starts it again.
  await eventually(async () => {
    await postEvent(service.url, `ev_after_${performance.now()}`)
    return lines('write-ahead log short again').length > 0 ? true : undefined
  }, 'the write-ahead log to be short again')
  t.ok(statSync(`${path}-wal`).size <= 64 * 1024 * 1024)
  t.equal(lines('write-ahead log grows').length, 1)
})
