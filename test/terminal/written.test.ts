import { PassThrough, Writable } from 'node:stream'
import t from 'tap'
import { written } from '../../src/terminal/written.js'

const stallLimitMs = 60_000

t.test('the wait for a slow reader lasts until everything has left', async t => {
  const output = new PassThrough({ highWaterMark: 1, readableHighWaterMark: 1 })
  for (let count = 0; count < 20; count++) output.write('line\n')
  let text = ''
  const all = written(output, { stallLimitMs })
  output.on('data', (chunk: Buffer) => { text += chunk.toString() })
  t.equal(await all, true)
  t.equal(text, 'line\n'.repeat(20))
})

t.test('an empty output is not waited for, even if it is closed', async t => {
  const output = new PassThrough()
  t.equal(await written(output, { stallLimitMs }), true)
  output.destroy()
  t.equal(await written(output, { stallLimitMs }), true)
})

t.test('a reader that has stopped reading is not waited for, and a slow one is', async t => {
  const takes: Array<() => void> = []
  const output = new Writable({ write (_chunk, _encoding, done) { takes.push(done) } })
  for (let count = 0; count < 3; count++) output.write('line\n')
  const ended = written(output, { stallLimitMs: 300 })
  takes.shift()?.()
  t.equal(await ended, false)
  t.equal(output.writableLength, 10)
})

t.test('output that could not be written has not left, even if the buffer is empty and no error was reported yet', async t => {
  const output = new Writable({ write (_chunk, _encoding, done) { done(new Error('ENOSPC')) } })
  output.on('error', () => {})
  output.write('line\n')
  t.equal(await written(output, { stallLimitMs }), false)
})

t.test('output that cannot be written has not left', async t => {
  const output = new Writable({ write (_chunk, _encoding, done) { setImmediate(done, new Error('EIO')) } })
  output.on('error', () => {})
  output.write('line\n')
  t.equal(await written(output, { stallLimitMs }), false)
})
