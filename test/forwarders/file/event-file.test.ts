import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createEventFile } from '../../../src/forwarders/file/event-file.js'
import { captureLog } from '../../support/capture-log.js'
import { fileIn } from './support/file-in.js'

const DAY_MS = 86_400_000
const never = new AbortController().signal

/** The paths of the files that this process has open. */
function openFiles (): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(join('/proc/self/fd', descriptor))]
    } catch {
      // The descriptor that read the folder itself is closed by now.
      return []
    }
  })
}

t.test('lines are in the file one after another', async (t) => {
  const { open, content } = fileIn(t, { path: join(t.testdir(), 'deep', 'er', 'events.ndjson') })
  const file = await open()
  await file.append('one\n', never)
  await Promise.all([file.append('two\nthree\n', never), file.append('four\n', never)])
  t.equal(content(), 'one\ntwo\nthree\nfour\n')
  await file.close()
  await file.close()
})

t.test('a crash between the write and the commit: uncommitted lines are cut off', async (t) => {
  const { open, content } = fileIn(t)
  const crashed = await open()
  const committed = await crashed.append('one\n', never)
  await crashed.append('two\n', never)
  const next = await open(committed)
  t.equal(content(), 'one\n')
  await next.append('two\n', never)
  t.equal(content(), 'one\ntwo\n')
})

t.test('a crash before the very first commit: all written lines are cut off', async (t) => {
  const { open, content } = fileIn(t)
  await (await open()).append('one\n', never)
  const next = await open()
  t.equal(content(), '')
  await next.append('one\n', never)
  t.equal(content(), 'one\n')
})

t.test('a crash before the very first commit, in a file that existed before: earlier lines stay', async (t) => {
  const { open, content, path } = fileIn(t)
  writeFileSync(path, 'theirs\n')
  await (await open()).append('one\n', never)
  const next = await open()
  t.equal(content(), 'theirs\n')
  await next.append('one\n', never)
  t.equal(content(), 'theirs\none\n')
})

t.test('a stop before the very first commit, as on a full disk: all written lines are cut off', async (t) => {
  const { open, content } = fileIn(t)
  const first = await open()
  await first.append('one\n', never)
  await first.close({ settled: false })
  await (await open()).append('one\n', never)
  t.equal(content(), 'one\n')
})

t.test('a stop during the start closes the file that the start opens', { skip: !existsSync('/proc/self/fd') && 'open files cannot be seen' }, async (t) => {
  const path = join(t.testdir(), 'events.ndjson')
  const file = createEventFile({ path, rotateBytes: 0, keepDays: 0, now: Date.now, logger: captureLog().logger })
  const starting = file.start(undefined)
  await file.close()
  await starting
  t.ok(existsSync(path))
  t.notOk(openFiles().includes(path))
})

t.test('a position lost after a proper end cuts nothing off', async (t) => {
  const { open, content } = fileIn(t)
  const first = await open()
  await first.append('one\n', never)
  await first.close()
  await (await open()).append('two\n', never)
  t.equal(content(), 'one\ntwo\n')
})

t.test('a position lost long after the file was begun cuts nothing off', async (t) => {
  const { open, content } = fileIn(t)
  const first = await open()
  for (let count = 0; count < 301; count++) await first.append('x\n', never)
  await (await open()).append('y\n', never)
  t.equal(content().length, 2 * 302)
})

t.test('a torn line at the end is cut off', async (t) => {
  const { open, content, path } = fileIn(t)
  const committed = await (await open()).append('one\n', never)
  appendFileSync(path, '{"half":')
  await (await open(committed)).append('two\n', never)
  t.equal(content(), 'one\ntwo\n')
})

t.test('a foreign file that ends with half a line: new lines begin on a line of their own, after a crash too', async (t) => {
  const { open, content, path } = fileIn(t)
  writeFileSync(path, 'half')
  await (await open()).append('one\n', never)
  t.equal(content(), 'half\none\n')
  await (await open()).append('two\n', never)
  t.equal(content(), 'half\ntwo\n')
})

t.test('a foreign file in place of the event file is continued, with a warning', async (t) => {
  const { open, content, path, log } = fileIn(t)
  const committed = await (await open()).append('one\n', never)
  rmSync(path)
  writeFileSync(path, 'something else, and longer than ours\n')
  const next = await open(committed)
  t.equal(log.find('event file is not the one that was written last: going on at its end').length, 1)
  await next.append('two\n', never)
  t.equal(content(), 'something else, and longer than ours\ntwo\n')
})

t.test('rotation by size begins a new file, and no line is in two files', async (t) => {
  const { open, content, rotated, path } = fileIn(t, { rotateBytes: 8, now: () => Date.parse('2026-01-31T23:59:59.123Z') })
  const file = await open()
  for (const line of ['first\n', 'second\n', 'third\n', 'fourth\n', 'fifth\n']) await file.append(line, never)
  t.strictSame(rotated(), ['events.ndjson.20260131T235959.123Z', 'events.ndjson.20260131T235959.124Z'], 'two rotations in one millisecond get different names')
  t.strictSame(rotated().map((name) => readFileSync(join(path, '..', name), 'utf8')), ['first\nsecond\n', 'third\nfourth\n'])
  t.equal(content(), 'fifth\n')
})

t.test('rotation by day (UTC) begins a new file, and old files are removed after the configured days', async (t) => {
  let now = Date.parse('2026-01-01T12:00:00Z')
  const { open, rotated } = fileIn(t, { keepDays: 2, now: () => now })
  const file = await open()
  for (let day = 0; day < 5; day++) {
    await file.append('one\n', never)
    await file.append('two\n', never)
    now += DAY_MS
  }
  t.strictSame(rotated().map((name) => name.slice(14, 22)), ['20260103', '20260104', '20260105'])
})

t.test('a file that was begun on an earlier day is rotated after a restart too', async (t) => {
  let now = Date.parse('2026-01-01T12:00:00Z')
  const { open, rotated, content } = fileIn(t, { keepDays: 30, now: () => now })
  const committed = await (await open()).append('one\n', never)
  now += DAY_MS
  await (await open(committed)).append('two\n', never)
  t.equal(rotated().length, 1)
  t.equal(content(), 'two\n')
})

t.test('a clock that steps back by an hour or a day keeps rotated files in order', async (t) => {
  let now = Date.parse('2026-01-02T12:00:00Z')
  const { open, rotated, path } = fileIn(t, { rotateBytes: 1, now: () => now })
  const file = await open()
  for (const line of ['1\n', '2\n', '3\n', '4\n']) {
    await file.append(line, never)
    now -= DAY_MS / 2
  }
  t.strictSame(rotated().map((name) => readFileSync(join(path, '..', name), 'utf8')), ['1\n', '2\n', '3\n'])
})

t.test('a crash undoes rotations that were not committed', async (t) => {
  const { open, content, rotated } = fileIn(t, { rotateBytes: 1 })
  const crashed = await open()
  await crashed.append('zero\n', never)
  const committed = await crashed.append('one\n', never)
  for (const line of ['two\n', 'three\n', 'four\n']) await crashed.append(line, never)
  t.equal(rotated().length, 4)
  await open(committed)
  t.equal(rotated().length, 1)
  t.equal(content(), 'one\n')
})

t.test('a crash between the rotation and the new file loses no line and repeats none', async (t) => {
  const { open, content, path, rotated } = fileIn(t)
  const committed = await (await open()).append('one\n', never)
  renameSync(path, `${path}.20260131T235959.123Z`)
  const next = await open(committed)
  t.strictSame(rotated(), [])
  await next.append('two\n', never)
  t.equal(content(), 'one\ntwo\n')
})

t.test('after a log shipper moved the file away, a new one is begun, with a warning', async (t) => {
  const { open, content, path, log } = fileIn(t)
  const file = await open()
  const committed = await file.append('one\n', never)
  renameSync(path, `${path}.1`)
  await file.append('two\n', never)
  t.equal(content(), 'two\n')
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'one\n')
  t.equal(log.find('event file was moved or deleted: a new one is begun').length, 1)

  const next = await open(committed)
  t.equal(content(), '', 'after a crash before the next commit, the new file is emptied')
  await next.append('two\n', never)
  t.equal(content(), 'two\n')
})

t.test('after a person deleted the file, a new one is begun, with a warning', async (t) => {
  const { open, content, path, log } = fileIn(t)
  const file = await open()
  const committed = await file.append('one\n', never)
  rmSync(path)
  await file.append('two\n', never)
  t.equal(content(), 'two\n')
  rmSync(path)
  await (await open(committed)).append('three\n', never)
  t.equal(content(), 'three\n')
  t.equal(log.find('event file was moved or deleted: a new one is begun').length, 2)
})

t.test('a file that another program emptied or cut is continued, and no new line is torn', async (t) => {
  const { open, content, path, log } = fileIn(t)
  const file = await open()
  await file.append('one\n', never)
  truncateSync(path)
  const committed = await file.append('two\nthree\n', never)
  t.equal(content(), 'two\nthree\n')
  truncateSync(path, 6)
  await file.append('four\n', never)
  t.equal(content(), 'two\nth\nfour\n')
  t.equal(log.find('event file was cut by somebody else: going on at its end').length, 2)
  const next = await open(committed)
  t.equal(content(), 'two\nth', 'after a crash, only the bytes written since the last commit are cut off')
  await next.append('four\n', never)
  t.equal(content(), 'two\nth\nfour\n')
})

t.test('a file that was cut while the service was stopped keeps its remaining lines', async (t) => {
  const { open, content, path } = fileIn(t)
  const committed = await (await open()).append('one\ntwo\n', never)
  truncateSync(path, 4)
  await (await open(committed)).append('three\n', never)
  t.equal(content(), 'one\nthree\n')
})

t.test('bytes that another program appended are moved out of the file, with a warning', async (t) => {
  const { open, content, path, log } = fileIn(t)
  const file = await open()
  await file.append('one\n', never)
  appendFileSync(path, 'theirs\n')
  await file.append('two\n', never)
  t.equal(content(), 'one\ntwo\n')
  t.equal(log.find('event file is longer than what was written to it: cut off').length, 1)
})

t.test('an abandoned write leaves nothing, and the next write waits for it', async (t) => {
  const { open, content } = fileIn(t)
  const file = await open()
  await file.append('one\n', never)
  const late = new AbortController()
  const givenUp = file.append('late\n'.repeat(10_000), late.signal)
  const next = file.append('two\n', never)
  late.abort(new Error('too late'))
  await t.rejects(givenUp, { message: 'too late' })
  await next
  t.equal(content(), 'one\ntwo\n')
  await t.rejects(file.append('three\n', late.signal))
})

t.test('a folder that cannot be created is tried again with each append', async (t) => {
  const directory = t.testdir({ taken: 'a file' })
  const { open, content, log } = fileIn(t, { path: join(directory, 'taken', 'events.ndjson') })
  const file = await open()
  t.equal(log.find('event file cannot be opened').length, 1)
  await t.rejects(file.append('one\n', never))
  rmSync(join(directory, 'taken'))
  await file.append('one\n', never)
  t.equal(content(), 'one\n')
})

t.test('a rotation that fails halfway continues with the next append', async (t) => {
  let fail = false
  const now = (): number => {
    if (fail) throw new Error('no time')
    return Date.parse('2026-01-31T00:00:00Z')
  }
  const { open, content, rotated } = fileIn(t, { rotateBytes: 1, now })
  const file = await open()
  await file.append('one\n', never)
  fail = true
  await t.rejects(file.append('two\n', never))
  fail = false
  await file.append('two\n', never)
  t.equal(content(), 'two\n')
  t.equal(rotated().length, 1)
})

t.test('an unreadable start note or position counts as none', async (t) => {
  const { open, content, path } = fileIn(t)
  writeFileSync(`${path}.beginning`, 'not json')
  writeFileSync(path, 'theirs\n')
  await (await open()).append('one\n', never)
  t.equal(content(), 'theirs\none\n')
  writeFileSync(`${path}.beginning`, '{"id":1}')
  await (await open()).append('two\n', never)
  t.equal(content(), 'theirs\none\ntwo\n')
})

t.test('files of other names beside the event file are not touched', async (t) => {
  const { open, path } = fileIn(t, { keepDays: 1, rotateBytes: 1 })
  const others = ['events.ndjson.1', 'events.ndjson.20200101T000000.000Z.gz', 'other.20200101T000000.000Z']
  mkdirSync(join(path, '..'), { recursive: true })
  for (const name of others) writeFileSync(join(path, '..', name), '')
  for (const name of others) utimesSync(join(path, '..', name), 0, 0)
  const file = await open()
  for (let count = 0; count < 3; count++) await file.append('x\n', never)
  for (const name of others) t.ok(existsSync(join(path, '..', name)))
})
