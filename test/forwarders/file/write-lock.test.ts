import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { platform } from 'node:os'
import t, { type Test } from 'tap'
import { createEventFile } from '../../../src/forwarders/file/event-file.js'
import { createWriteLock } from '../../../src/forwarders/file/write-lock.js'
import { lockFile } from '../../../src/journal/sqlite/file-lock.js'
import { captureLog } from '../../support/capture-log.js'

const never = new AbortController().signal
const IN_USE = { code: 'EVENT_FILE_IN_USE', message: /^Another tierhook, or another forwarder, writes to the event file .*Stop it first, or give this forwarder a file of its own\.$/ }

/** Opens event files like the service. */
function filesIn (t: Test, folder = t.testdir()) {
  const { logger, find } = captureLog()
  return {
    find,
    at: (name: string) => join(folder, name),
    content: (name: string) => readFileSync(join(folder, name), 'utf8'),
    async open (name: string, rotateBytes = 0) {
      const path = join(folder, name)
      const file = createEventFile({ path, rotateBytes, keepDays: 0, now: Date.now, logger, lock: createWriteLock({ path, lockFile, logger }) })
      t.teardown(async () => { await file.close() })
      return { ...file, begin: async () => { await file.start(undefined) }, append: async (text: string) => await file.append(Buffer.from(text), never) }
    }
  }
}

t.test('an event file in use is refused, and unchanged, until it is closed', async (t) => {
  const { open, content, at } = filesIn(t)
  const first = await open('events.ndjson')
  await first.begin()
  await first.append('one\n')
  const second = await open('events.ndjson')
  await t.rejects(second.claim(), IN_USE)
  await second.begin()
  await t.rejects(second.append('two\n'), IN_USE)
  t.equal(content('events.ndjson'), 'one\n')
  await first.close()
  await second.append('two\n')
  t.equal(content('events.ndjson'), 'one\ntwo\n')
  t.ok(existsSync(at('events.ndjson.in-use')))
})

t.test('an event file in use is refused under another name too', { skip: platform() !== 'linux' && 'only on Linux' }, async (t) => {
  const { open, at } = filesIn(t)
  const first = await open('events.ndjson')
  await first.begin()
  await first.append('one\n')
  linkSync(at('events.ndjson'), at('hard.ndjson'))
  await t.rejects((await open('hard.ndjson')).claim(), IN_USE)
})

t.test('after a rotation the rotated file is unlocked and the new file is locked', { skip: platform() !== 'linux' && 'only on Linux' }, async (t) => {
  const { open, at } = filesIn(t)
  const first = await open('events.ndjson', 1)
  await first.begin()
  await first.append('one\n')
  linkSync(at('events.ndjson'), at('old.ndjson'))
  await first.append('two\n')
  linkSync(at('events.ndjson'), at('new.ndjson'))
  await (await open('old.ndjson')).claim()
  await t.rejects((await open('new.ndjson')).claim(), IN_USE)
})

t.test('a removed lock file still keeps other processes out, and is created again', { skip: platform() !== 'linux' && 'only on Linux' }, async (t) => {
  const { open, at, content, find } = filesIn(t)
  const first = await open('events.ndjson')
  await first.begin()
  await first.append('one\n')
  rmSync(at('events.ndjson.in-use'))
  const second = await open('events.ndjson')
  await t.rejects(second.claim(), IN_USE)
  await second.close()
  await first.append('two\n')
  t.equal(find('event file\'s lock was removed: taking it again').length, 1)
  t.ok(existsSync(at('events.ndjson.in-use')))
  t.equal(content('events.ndjson'), 'one\ntwo\n')
})

t.test('after another process has taken a removed lock, nothing more is written', async (t) => {
  const { open, at, content } = filesIn(t)
  const first = await open('events.ndjson')
  await first.begin()
  await first.append('one\n')
  rmSync(at('events.ndjson.in-use'))
  const others = lockFile(at('events.ndjson.in-use'))
  await t.rejects(first.append('two\n'), IN_USE)
  t.equal(content('events.ndjson'), 'one\n')
  others?.release()
  await first.append('two\n')
  t.equal(content('events.ndjson'), 'one\ntwo\n')
})

t.test('a removed folder is created again, with the lock', async (t) => {
  const { open, at, content } = filesIn(t)
  const file = await open('deep/events.ndjson')
  await file.claim()
  await file.begin()
  await file.append('one\n')
  renameSync(at('deep'), at('gone'))
  await file.append('two\n')
  t.equal(content('deep/events.ndjson'), 'two\n')
  t.ok(existsSync(at('deep/events.ndjson.in-use')))
})

t.test('a file that cannot be locked for another reason does not refuse the start, and the next write reports it', async (t) => {
  const { open, at, find } = filesIn(t)
  writeFileSync(at('taken'), '')
  const file = await open('taken/events.ndjson')
  await file.claim()
  await file.begin()
  t.equal(find('event file cannot be opened').length, 1)
  await t.rejects(file.append('one\n'), { code: 'EEXIST' })
  rmSync(at('taken'))
  await file.append('one\n')
})

t.test('a pipe in place of the event file is refused and does not block the start', { skip: platform() === 'win32' && 'there are no pipes in folders' }, async (t) => {
  const { open, at } = filesIn(t)
  execFileSync('mkfifo', [at('events.ndjson')])
  const file = await open('events.ndjson')
  await file.claim()
  await file.begin()
  await t.rejects(file.append('one\n'), /events\.ndjson is not a file$/)
})
