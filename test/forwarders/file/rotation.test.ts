import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { checkFile } from '../../../src/forwarders/file/check-file.js'
import { eventually } from '../../support/eventually.js'
import { mountFileOver } from '../../support/mount-point.js'
import { mountSmallDisk } from '../../support/small-disk.js'
import { fileIn } from './support/file-in.js'

const never = new AbortController().signal
const GOES_ON = 'event file cannot be rotated: going on in it'
const DAY_MS = 86_400_000

/** A path that is a mount point, below a folder whose files the test can read. */
function mountedFile (t: Test): { readonly path: string, readonly unmount: () => void } | undefined {
  const folder = t.testdir({ own: {} })
  const path = join(folder, 'own', 'events.ndjson')
  const unmount = mountFileOver(join(folder, 'source.ndjson'), path)
  if (unmount === undefined) return undefined
  t.teardown(unmount)
  return { path, unmount }
}

t.test('an event file that is a mount point is continued, with one warning, and rotated when it can be', async (t) => {
  const mounted = mountedFile(t)
  if (mounted === undefined) return t.comment('no right to mount: skipped')
  let clock = 0
  const { open, content, rotated, log } = fileIn(t, { path: mounted.path, rotateBytes: 5, monotonic: () => clock })
  const file = await open()
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) {
    await file.append(line, never)
    clock += 20_000
  }
  t.equal(content(), 'one\ntwo\nthree\nfour\n')
  t.match(log.find(GOES_ON), [{ level: 40, path: mounted.path, code: 'EBUSY', reason: /mount point of its own/ }])
  t.equal(log.find(GOES_ON).length, 1)
  await t.rejects(checkFile(mounted.path), { message: /can be appended to, but not rotated: it is a mount point of its own/ })
  await checkFile(mounted.path, { rotates: false })

  const whole = content()
  mounted.unmount()
  writeFileSync(mounted.path, '')
  await file.append('five\n', never)
  t.equal(readFileSync(join(mounted.path, '../../source.ndjson'), 'utf8'), whole)
  await file.append('six\n', never)
  t.equal(rotated().length, 1)
  t.equal(content(), 'six\n')
  t.equal(log.find('event file rotated again').length, 1)
})

t.test('a rotation that the system refuses is not repeated with each append', async (t) => {
  const mounted = mountedFile(t)
  if (mounted === undefined) return t.comment('no right to mount: skipped')
  let asked = 0
  const { open, content } = fileIn(t, {
    path: mounted.path,
    rotateBytes: 1,
    monotonic: () => 0,
    // The clock is read for the name of a rotated file, and otherwise only when a file is begun.
    now: () => {
      asked++
      return Date.now()
    }
  })
  const file = await open()
  await file.append('one\n', never)
  await file.append('two\n', never)
  const before = asked
  for (let count = 0; count < 20; count++) await file.append('x\n', never)
  t.equal(asked, before)
  t.equal(content().length, 8 + 40)
})

t.test('if an old file cannot be removed, the line is written once, and the problem is reported once', async (t) => {
  let now = Date.parse('2026-02-01T00:00:00Z')
  const { open, path, content, rotated, log } = fileIn(t, { keepDays: 2, now: () => now })
  const stuck = `${path}.20260101T000000.000Z`
  mkdirSync(stuck)
  const file = await open()
  await file.append('one\n', never)
  now += DAY_MS
  await file.append('two\n', never)
  now += DAY_MS
  await file.append('three\n', never)
  t.equal(content(), 'three\n')
  t.strictSame(rotated().slice(1).map((name) => readFileSync(join(path, '..', name), 'utf8')), ['one\n', 'two\n'])
  t.match(log.find('rotated event file cannot be removed'), [{ level: 40, path: stuck }])
})

t.test('if the start note cannot be removed, the line is written once', async (t) => {
  const { open, path, content } = fileIn(t)
  const file = await open()
  rmSync(`${path}.beginning`)
  mkdirSync(`${path}.beginning`)
  for (let count = 0; count < 302; count++) await file.append(`${count}\n`, never)
  t.equal(content().split('\n').length, 303)
  t.equal(new Set(content().split('\n')).size, 303)
  rmSync(`${path}.beginning`, { recursive: true })
})

t.test('whatever step of a rotation fails, each line is in the files once', async (t) => {
  for (const step of ['a folder has the name of the note', 'a folder has the name of the draft of the note', 'the file is moved away', 'the file is deleted', 'the folder is deleted']) {
    const folder = mkdtempSync(join(t.testdirName, '..', 'rotation-'))
    t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
    const { open, path, content, rotated } = fileIn(t, { path: join(folder, 'own', 'events.ndjson'), rotateBytes: 1 })
    const file = await open()
    await file.append('one\n', never)
    let mend = (): void => {}
    switch (step) {
      case 'a folder has the name of the note':
        rmSync(`${path}.beginning`)
        mkdirSync(`${path}.beginning`)
        mend = () => { rmSync(`${path}.beginning`, { recursive: true }) }
        break
      case 'a folder has the name of the draft of the note':
        mkdirSync(`${path}.beginning.new`)
        mend = () => { rmSync(`${path}.beginning.new`, { recursive: true }) }
        break
      case 'the file is moved away': renameSync(path, `${path}.1`); break
      case 'the file is deleted': rmSync(path); break
      case 'the folder is deleted': rmSync(join(path, '..'), { recursive: true })
    }
    await file.append('two\n', never).catch(async () => {
      mend()
      await file.append('two\n', never)
    })
    await file.append('three\n', never)
    const all = [...rotated().map((name) => readFileSync(join(path, '..', name), 'utf8')), content()].join('')
    t.equal(all.replace(/^one\n/, ''), 'two\nthree\n', step)
  }
})

t.test('a disk that is full at a rotation: each line is in the files once when there is space again', async (t) => {
  const folder = t.testdir()
  const disk = mountSmallDisk(folder)
  if (disk === undefined) return t.comment('no right to mount: skipped')
  t.teardown(disk.unmount)
  const { open, path, content, rotated } = fileIn(t, { path: join(folder, 'events.ndjson'), rotateBytes: 1 })
  const file = await open()
  await file.append('one\n', never)
  disk.fill()
  await t.rejects(file.append('x'.repeat(100_000) + '\n', never), { code: 'ENOSPC' })
  await t.rejects(file.append('x'.repeat(100_000) + '\n', never), { code: 'ENOSPC' })
  disk.empty()
  await file.append('two\n', never)
  const all = [...rotated().map((name) => readFileSync(join(path, '..', name), 'utf8')), content()].join('')
  t.equal(all, 'one\ntwo\n')
})

t.test('if a full disk cannot take the start note, and a crash comes before the first commit, lines that come again are cut off in each file', async (t) => {
  const folder = t.testdir()
  const disk = mountSmallDisk(folder, 1024 * 1024)
  if (disk === undefined) return t.comment('no right to mount: skipped')
  t.teardown(disk.unmount)
  const { open, path, content, rotated } = fileIn(t, { path: join(folder, 'events.ndjson'), rotateBytes: 1 })
  const lines = ['one', 'two', 'three'].map((id) => `{"id":"${id}","x":1}\n`) as [string, string, string]
  const file = await open()
  await file.append(lines[0], never)
  disk.fill()
  await t.rejects(file.append(lines[1], never), { code: 'ENOSPC' })
  disk.empty()
  await file.append(lines[1], never)
  // Killed without a commit, so everything comes again.
  const again = await open(undefined, { unfinished: async (ids) => new Set(ids) })
  for (const line of lines) await again.append(line, never)
  const all = [...rotated().map((name) => readFileSync(join(path, '..', name), 'utf8')), content()].join('')
  t.equal(all, lines.join(''))
})

t.test('old files are removed on time without new events, and a day\'s file is rotated at the end of the day', async (t) => {
  let now = Date.parse('2026-02-01T12:00:00Z')
  const { open, path, content, rotated, log } = fileIn(t, { keepDays: 2, housekeepingMs: 5, now: () => now })
  const old = `${path}.20260101T000000.000Z`
  writeFileSync(old, 'old\n')
  const file = await open()
  t.notOk(existsSync(old), 'an old file is removed at the start')
  const committed = await file.append('one\n', never)
  now += DAY_MS
  await eventually(() => rotated().length === 1 ? true : undefined, 'the file to be rotated')
  await eventually(() => existsSync(path) && content() === '' ? true : undefined, 'a new file')
  now += 3 * DAY_MS
  await eventually(() => rotated().length === 0 ? true : undefined, 'the rotated file to be removed')
  await file.append('two\n', never)
  t.equal(content(), 'two\n')
  await file.close()

  await open(committed, { unfinished: async () => new Set() })
  t.equal(content(), 'two\n', 'the new file is kept, although the last commit was in a removed file')
  t.equal(log.find('event file was moved or deleted: a new one is begun').length, 0)
})

t.test('a deleted file is noticed without new events', async (t) => {
  const { open, path, log } = fileIn(t, { housekeepingMs: 5 })
  const file = await open()
  await file.append('one\n', never)
  rmSync(path)
  await eventually(() => log.find('event file was moved or deleted: a new one is begun').length > 0 ? true : undefined, 'the warning')
  await eventually(() => existsSync(path) ? true : undefined, 'a new file')
  await file.close()
  rmSync(path)
  await sleep(20)
  t.notOk(existsSync(path), 'a closed file is not opened again')
})

t.test('a file that is deleted during a write: the lines are written again', async (t) => {
  const { open, path, content } = fileIn(t)
  const file = await open()
  await file.append('one\n', never)
  for (let count = 0; count < 30; count++) {
    const text = `${String(count).repeat(200_000)}\n`
    const writing = file.append(text, never).then(() => true, () => false)
    await sleep(count / 10)
    rmSync(path, { force: true })
    // If the file was deleted before the write, the line is in a new file. If it was deleted after, the deletion removed the line too.
    if (!await writing) {
      await file.append(text, never)
      t.equal(content(), text)
    }
  }
})

t.test('files whose suffix is not a time are not taken for rotated files', async (t) => {
  const { open, path, rotated } = fileIn(t, { rotateBytes: 1, now: () => Date.parse('2026-01-31T00:00:00Z') })
  writeFileSync(`${path}.20269999T999999.999Z`, '')
  const file = await open()
  await file.append('one\n', never)
  await file.append('two\n', never)
  t.strictSame(rotated(), ['events.ndjson.20260131T000000.000Z', 'events.ndjson.20269999T999999.999Z'])
})

t.test('a clock that jumps a year ahead removes nothing for a day, and files named by it are not kept too long', async (t) => {
  let now = Date.parse('2026-02-01T12:00:00Z')
  let monotonic = 0
  const pass = (ms: number): void => {
    now += ms
    monotonic += ms
  }
  const { open, path, rotated } = fileIn(t, { keepDays: 2, rotateBytes: 1, now: () => now, monotonic: () => monotonic })
  const stamp = (name: string): string => name.slice('events.ndjson.'.length)
  const file = await open()
  await file.append('one\n', never)
  pass(60_000)
  await file.append('two\n', never)
  now += 365 * DAY_MS
  await file.append('three\n', never)
  t.strictSame(rotated().map(stamp), ['20260201T120100.000Z', '20270201T120100.000Z'], 'no rotated file is removed')
  for (const name of rotated()) utimesSync(join(path, '..', name), new Date('2026-02-01T12:01:00Z'), new Date('2026-02-01T12:01:00Z'))
  now -= 365 * DAY_MS
  await file.append('four\n', never)
  t.equal(rotated().length, 3)
  for (let day = 0; day < 4; day++) {
    pass(DAY_MS)
    await file.append('x\n', never)
  }
  t.strictSame(rotated().filter((name) => readFileSync(join(path, '..', name), 'utf8') === 'two\n'), [], 'the old file is removed, although its name is dated next year')
})

t.test('a clock that starts long after the last line removes nothing for a day', async (t) => {
  let [now, monotonic] = [Date.now() + 365 * DAY_MS, 0]
  const { open, path, rotated } = fileIn(t, { keepDays: 2, housekeepingMs: 5, now: () => now, monotonic: () => monotonic })
  writeFileSync(path, 'one\n')
  writeFileSync(`${path}.20260101T000000.000Z`, 'old\n')
  const file = await open()
  await file.append('two\n', never)
  t.ok(rotated().includes('events.ndjson.20260101T000000.000Z'))
  now += DAY_MS
  monotonic += DAY_MS
  await eventually(() => rotated().includes('events.ndjson.20260101T000000.000Z') ? undefined : true, 'the old file to be removed')
})
