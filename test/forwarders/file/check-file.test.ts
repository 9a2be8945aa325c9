import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { checkFile } from '../../../src/forwarders/file/check-file.js'

t.test('a file that exists, or can be created, passes, and nothing is changed', async (t) => {
  const folder = t.testdir({ 'events.ndjson': 'x\n' })
  await checkFile(join(folder, 'events.ndjson'))
  await checkFile(join(folder, 'other.ndjson'))
  await checkFile(join(folder, 'a/b/c.ndjson'))
  t.strictSame(readdirSync(folder), ['events.ndjson'])
})

t.test('a folder in place of the file, or a file in place of a folder, is reported', async (t) => {
  const folder = t.testdir({ file: 'x' })
  mkdirSync(join(folder, 'events.ndjson'))
  await t.rejects(checkFile(join(folder, 'events.ndjson')), { message: `${join(folder, 'events.ndjson')} is not a file` })
  await t.rejects(checkFile(join(folder, 'file/a/events.ndjson')), { message: `${join(folder, 'file')} is not a folder` })
})

t.test('a path that cannot be inspected is reported', async (t) => {
  await t.rejects(checkFile(`/tmp/${'x'.repeat(300)}/y`), { message: /cannot be looked at \(ENAMETOOLONG\)/ })
})

t.test('a file or folder that the user may not write is reported', async (t) => {
  // Root may write everything, so another user must try, in a folder that everybody may enter.
  const folder = mkdtempSync(join(tmpdir(), 'tierhook-test-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  chmodSync(folder, 0o755)
  // With its imports, at the same relative paths.
  for (const name of ['forwarders/file/check-file.js', 'errors/system-code.js']) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    copyFileSync(new URL(`../../../dist/${name}`, import.meta.url), join(folder, name))
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'events.ndjson'), '', { mode: 0o400 })
  const script = "import { checkFile } from './forwarders/file/check-file.js'; await checkFile('./events.ndjson')"
  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {}
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: {}, cwd: folder, ...nobody })
  t.match(stderr, /events\.ndjson cannot be written \(EACCES\)/)
})
