import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import type { EventFileOptions } from '../../../src/forwarders/file/event-file.js'
import { fileIn } from './support/file-in.js'

const never = new AbortController().signal
const STAY = 'event file has lines that the database does not know: they stay'
const ASIDE = 'event file has lines beyond what was committed: set aside'
const CUT = 'event file cut back to what was committed: these lines are written again'

const line = (id: number): string => `{"id":"delivery-${id}","body":{}}\n`
const lines = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, index) => line(from + index)).join('')

/** The deliveries that the journal hands out again. */
function comesAgain (...numbers: readonly number[]) {
  const ids = new Set(numbers.map((number) => `delivery-${number}`))
  return { unfinished: async (asked: readonly string[]) => new Set(asked.filter((id) => ids.has(id))) }
}

function setUp (t: Test, options: Partial<EventFileOptions> = {}) {
  const file = fileIn(t, options)
  return {
    ...file,
    messages: () => file.log.lines.map(({ msg }) => msg),
    /** All lines of the file and of its rotated files, in order. */
    all: () => [...file.rotated().map((name) => join(file.path, '..', name)), file.path].map((path) => readFileSync(path, 'utf8')).join('')
  }
}

t.test('a crash between the write and the commit: lines that come again are cut off, and half a line with them', async (t) => {
  const { open, content, path, log, aside } = setUp(t)
  const crashed = await open()
  const committed = await crashed.append(line(1), never)
  await crashed.append(lines(2, 4), never)
  appendFileSync(path, '{"id":"delivery-5","bo')
  await open(committed, comesAgain(2, 3, 4, 5))
  t.equal(content(), line(1))
  t.match(log.find(CUT), [{ level: 30, lines: 3 }])
  t.strictSame(aside(), [])
})

t.test('a crash after a rotation and before the first commit: lines that come again are cut off in each file', async (t) => {
  const { open, content, path, all, aside, rotated } = setUp(t, { rotateBytes: 30 })
  writeFileSync(path, 'somebody else\'s\n')
  const crashed = await open()
  for (const each of [1, 2, 3, 4]) await crashed.append(line(each), never)
  t.equal(rotated().length, 3)
  t.equal(all(), `somebody else's\n${lines(1, 4)}`)
  const restarted = await open(undefined, comesAgain(1, 2, 3, 4))
  t.equal(content(), 'somebody else\'s\n')
  t.strictSame(rotated(), [])
  await restarted.append(lines(1, 4), never)
  t.equal(all(), `somebody else's\n${lines(1, 4)}`)
  t.strictSame(aside().sort(), [line(2), line(3)], 'rotated files are set aside, not deleted')
})

t.test('a crash in the middle of a rotation before the first commit loses no line and repeats none', async (t) => {
  const { open, path, all } = setUp(t)
  const crashed = await open()
  await crashed.append(lines(1, 3), never)
  renameSync(path, `${path}.20260131T235959.123Z`)
  const restarted = await open(undefined, comesAgain(1, 2, 3))
  await restarted.append(lines(1, 3), never)
  t.equal(all(), lines(1, 3))
})

t.test('a new database, after a rotation without a commit: the lines stay', async (t) => {
  const { open, all } = setUp(t, { rotateBytes: 60 })
  const before = await open()
  for (const each of [1, 2, 3, 4]) await before.append(line(each), never)
  await open(undefined, comesAgain())
  t.equal(all(), lines(1, 4))
})

t.test('an older database: lines that it does not know stay, and new lines follow them', async (t) => {
  const { open, content, log, messages } = setUp(t)
  const first = await open()
  const backup = await first.append(lines(1, 2), never)
  await first.append(lines(3, 9), never)
  const restored = await open(backup, comesAgain())
  t.equal(content(), lines(1, 9))
  t.match(log.find(STAY), [{ level: 40, lines: 7, bytes: lines(3, 9).length }])
  const committed = await restored.append(line(10), never)
  await open(committed, comesAgain())
  t.equal(content(), lines(1, 10))
  t.strictSame(messages(), [STAY])
})

t.test('an older database, and a crash before a new commit: only lines that come again are cut off', async (t) => {
  const { open, content } = setUp(t)
  const first = await open()
  const backup = await first.append(line(1), never)
  await first.append(lines(2, 5), never)
  await (await open(backup, comesAgain())).append(line(6), never)
  await (await open(backup, comesAgain(6))).append(line(6), never)
  t.equal(content(), lines(1, 6))
})

t.test('an older database, and later rotations: every rotated file stays unchanged', async (t) => {
  const { open, rotated, all, log } = setUp(t, { rotateBytes: line(1).length * 2 })
  const first = await open()
  const backup = await first.append(line(1), never)
  for (let number = 2; number <= 9; number++) await first.append(line(number), never)
  t.equal(rotated().length, 4)
  const restored = await open(backup, comesAgain())
  t.equal(rotated().length, 4)
  t.equal(all(), lines(1, 9))
  t.equal(log.find(STAY).reduce((sum, { lines }) => sum + Number(lines), 0), 8)
  await restored.append(line(10), never)
  await (await open(backup, comesAgain(10))).append(line(10), never)
  t.equal(all(), lines(1, 10), 'the same holds after a crash before the next commit')
})

t.test('an older database that forwards some lines again: all of them are set aside, and none is lost or repeated', async (t) => {
  const { open, content, aside, log } = setUp(t)
  const first = await open()
  const backup = await first.append(line(1), never)
  await first.append(lines(2, 9), never)
  const restored = await open(backup, comesAgain(2, 3))
  t.equal(content(), line(1))
  t.strictSame(aside(), [lines(2, 9)])
  t.match(log.find(ASIDE), [{ level: 40, lines: 8, bytes: lines(2, 9).length, setAside: /events\.ndjson\.set-aside-/ }])
  await restored.append(lines(2, 3), never)
  t.equal(content(), lines(1, 3))
})

t.test('an older database that forwards some lines again after rotations: rotated files are set aside whole, and correct lines stay', async (t) => {
  const { open, rotated, all, aside } = setUp(t, { rotateBytes: line(1).length * 2 })
  const first = await open()
  const backup = await first.append(line(1), never)
  for (let number = 2; number <= 7; number++) await first.append(line(number), never)
  await open(backup, comesAgain(2, 3))
  t.strictSame(aside(), [lines(3, 4)], 'a rotated file is set aside whole, although only one of its two lines is forwarded again')
  t.equal(all(), `${line(1)}${lines(5, 7)}`)
  t.equal(rotated().length, 2)
})

t.test('a lost database: no line of the file is removed, although the file was never committed', async (t) => {
  const { open, content, path, log } = setUp(t)
  const first = await open()
  for (let number = 1; number <= 80; number++) await first.append(line(number), never)
  appendFileSync(path, '{"id":"delivery-81","bo')
  const next = await open(undefined, comesAgain())
  t.equal(content(), lines(1, 80), 'only the torn last line is removed')
  t.match(log.find(STAY), [{ lines: 80 }])
  await next.append(line(82), never)
  t.equal(content(), lines(1, 80) + line(82))
})

t.test('rotations without a commit before a crash are undone, and no rotated file is removed', async (t) => {
  const { open, rotated, content, aside } = setUp(t, { rotateBytes: 1 })
  const crashed = await open()
  await crashed.append(line(1), never)
  const committed = await crashed.append(line(2), never)
  for (let number = 3; number <= 5; number++) await crashed.append(line(number), never)
  const next = await open(committed, comesAgain(3, 4, 5))
  t.equal(content(), line(2))
  t.equal(rotated().length, 1)
  t.strictSame(aside(), [line(3), line(4)].reverse())
  await next.append(lines(3, 5), never)
  t.equal(content(), lines(3, 5))
})

t.test('a rotation without later lines is not undone', async (t) => {
  let now = Date.parse('2026-01-01T23:59:00Z')
  const { open, rotated, content, path } = setUp(t, { keepDays: 30, now: () => now })
  const file = await open()
  const committed = await file.append(line(1), never)
  renameSync(path, `${path}.20260102T000000.000Z`)
  writeFileSync(path, '')
  now += 120_000
  const next = await open(committed, comesAgain())
  t.strictSame(rotated(), ['events.ndjson.20260102T000000.000Z'])
  await next.append(line(2), never)
  t.equal(content(), line(2))
})

t.test('foreign lines after the position are set aside, and so are lines that a power cut tore', async (t) => {
  for (const foreign of ['theirs\n', `{"id":"delivery-2",${'\0'.repeat(50)}}\n`, `${line(2)}\0\0\0\n`]) {
    const { open, content, path, aside } = setUp(t, { path: join(t.testdir(), 'events.ndjson') })
    const committed = await (await open()).append(line(1), never)
    appendFileSync(path, foreign)
    await open(committed, comesAgain(2))
    t.equal(content(), line(1))
    t.strictSame(aside(), [foreign])
    for (const name of readdirSync(join(path, '..'))) rmSync(join(path, '..', name))
  }
})

t.test('more lines than fit between two commits are not cut off, even if they come again', async (t) => {
  const { open, content, path, aside } = setUp(t)
  const committed = await (await open()).append(line(1), never)
  const many = lines(1, 140_000)
  appendFileSync(path, many)
  await open(committed, { unfinished: async (ids) => new Set(ids) })
  t.equal(content(), line(1))
  t.strictSame(aside().map((text) => text.length), [many.length])
})

t.test('a line longer than the read buffer is one line', async (t) => {
  const { open, content } = setUp(t)
  const crashed = await open()
  const committed = await crashed.append(line(1), never)
  await crashed.append(`{"id":"delivery-2","body":"${'x'.repeat(300_000)}"}\n${line(3)}`, never)
  await open(committed, comesAgain(2, 3))
  t.equal(content(), line(1))
})

t.test('if the journal does not answer, nothing is changed, and the next append asks again', async (t) => {
  const { open, content, log } = setUp(t)
  const crashed = await open()
  const committed = await crashed.append(line(1), never)
  await crashed.append(line(2), never)
  let answers = false
  const next = await open(committed, {
    async unfinished (ids) {
      if (!answers) throw new Error('not now')
      return new Set(ids)
    }
  })
  t.equal(log.find('event file cannot be opened').length, 1)
  await t.rejects(next.append(line(2), never), { message: 'not now' })
  t.equal(content(), lines(1, 2))
  answers = true
  await next.append(line(2), never)
  t.equal(content(), lines(1, 2))
})

t.test('lines that another program appended are set aside, and the log has their path', async (t) => {
  const { open, content, path, log, aside } = setUp(t)
  const file = await open()
  await file.append(line(1), never)
  appendFileSync(path, 'theirs\n')
  await file.append(line(2), never)
  t.equal(content(), lines(1, 2))
  t.strictSame(aside(), ['theirs\n'])
  const [warning] = log.find('event file is longer than what was written to it: cut off')
  t.ok(readdirSync(join(path, '..')).includes(basename(String(warning?.['setAside']))))
})
