import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkFile } from '../../../src/forwarders/file/check-file.js'

t.test('a file that is there, or can be made, is right, and nothing is changed', async (t) => {
  const folder = t.testdir({ 'events.ndjson': 'x\n' })
  await checkFile(join(folder, 'events.ndjson'))
  await checkFile(join(folder, 'other.ndjson'))
  await checkFile(join(folder, 'a/b/c.ndjson'))
  t.strictSame(readdirSync(folder), ['events.ndjson'])
})

t.test('a folder in the place of the file, or a file in the place of a folder, is told', async (t) => {
  const folder = t.testdir({ file: 'x' })
  mkdirSync(join(folder, 'events.ndjson'))
  await t.rejects(checkFile(join(folder, 'events.ndjson')), { message: `${join(folder, 'events.ndjson')} is not a file` })
  await t.rejects(checkFile(join(folder, 'file/a/events.ndjson')), { message: `${join(folder, 'file')} is not a folder` })
})

t.test('a path that cannot be looked at is told', async (t) => {
  await t.rejects(checkFile(`/tmp/${'x'.repeat(300)}/y`), { message: /cannot be looked at \(ENAMETOOLONG\)/ })
})

t.test('what this user may not write is told', { skip: process.getuid?.() === 0 ? 'root may write everything' : false }, async (t) => {
  const folder = t.testdir({ 'events.ndjson': '' })
  chmodSync(join(folder, 'events.ndjson'), 0o400)
  await t.rejects(checkFile(join(folder, 'events.ndjson')), { message: /events\.ndjson cannot be written \(EACCES\)/ })
})
