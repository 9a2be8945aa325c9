import t from 'tap'
import type { Test } from 'tap'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLogOutput } from '../../src/composition/log-output.js'

t.test('after closing, every line has been written, and later lines are dropped', async t => {
  const path = join(t.testdir(), 'log')
  const output = openLogOutput({ fd: openSync(path, 'a'), onError: error => { throw error } })
  for (let index = 0; index < 5000; index++) output.write(`line ${index}\n`)
  await output.close()
  await output.close()
  output.write('late\n')
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  t.equal(lines.length, 5000)
  t.equal(lines.at(-1), 'line 4999')
})

t.test('a writer can wait until its lines are written', async t => {
  const path = join(t.testdir(), 'log')
  const output = openLogOutput({ fd: openSync(path, 'a'), onError: error => { throw error } })
  await output.flushed()
  output.write(`${'x'.repeat(100_000)}\n`)
  await output.flushed()
  t.equal(readFileSync(path, 'utf8').length, 100_001)
  await output.close()
})

t.test('a log that cannot be written is reported once, retried with each line, and given up when it is closed', async t => {
  const path = join(t.testdir({ log: '' }), 'log')
  const errors: Error[] = []
  const output = openLogOutput({ fd: openSync(path, 'r'), onError: error => { errors.push(error) } })
  for (let index = 0; index < 2; index++) {
    output.write('line\n')
    await t.rejects(output.flushed(), { code: 'EBADF' })
    await t.rejects(output.flushed(), { code: 'EBADF' })
  }
  await output.close()
  t.match(errors, [{ code: 'EBADF' }])
  t.equal(errors.length, 1)
})

/** A pipe whose other end is not read, or is closed. */
function unreadPipe (t: Test, options: { closed: boolean }): number {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  if (options.closed) closeSync(reader)
  else t.teardown(() => { closeSync(reader) })
  return writer
}

t.test('a reader that has gone away is reported, and does not block anything', async t => {
  const errors: Error[] = []
  const output = openLogOutput({ fd: unreadPipe(t, { closed: true }), onError: error => { errors.push(error) } })
  output.write('one\n')
  await t.rejects(output.flushed(), { code: 'EPIPE' })
  output.write('two\n')
  await t.rejects(output.flushed(), { code: 'EPIPE' })
  await output.close()
  t.equal(errors.length, 1)
})

t.test('a reader that hangs costs a bounded amount of memory, and its unread lines can be abandoned', async t => {
  const errors: Error[] = []
  const output = openLogOutput({ fd: unreadPipe(t, { closed: false }), onError: error => { errors.push(error) } })
  const line = `${'x'.repeat(1_000_000)}\n`
  for (let index = 0; index < 70; index++) output.write(line)
  await t.rejects(output.flushed(), { message: /lines were dropped/ })
  t.match(errors, [{ message: /lines were dropped/ }])
  output.abandon()
})
