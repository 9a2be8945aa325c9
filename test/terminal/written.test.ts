import { PassThrough, Writable } from 'node:stream'
import t from 'tap'
import { written } from '../../src/terminal/written.js'

const stallLimitMs = 60_000

t.test('it waits for a slow reader until all has left', async t => {
  const output = new PassThrough({ highWaterMark: 1, readableHighWaterMark: 1 })
  for (let count = 0; count < 20; count++) output.write('line\n')
  let text = ''
  const all = written(output, { stallLimitMs })
  output.on('data', (chunk: Buffer) => { text += chunk.toString() })
  t.equal(await all, true)
  t.equal(text, 'line\n'.repeat(20))
})

t.test('where nothing is left there is nothing to wait for, not even a closed output', async t => {
  const output = new PassThrough()
  t.equal(await written(output, { stallLimitMs }), true)
  output.destroy()
  t.equal(await written(output, { stallLimitMs }), true)
})

t.test('a reader that takes nothing any more is not waited for, and one that takes a little is', async t => {
  const takes: Array<() => void> = []
  const output = new Writable({ write (_chunk, _encoding, done) { takes.push(done) } })
  for (let count = 0; count < 3; count++) output.write('line\n')
  const ended = written(output, { stallLimitMs: 300 })
  takes.shift()?.()
  t.equal(await ended, false)
  t.equal(output.writableLength, 10)
})

t.test('what could not be written has not left, though nothing is left to write and nobody was told yet', async t => {
  const output = new Writable({ write (_chunk, _encoding, done) { done(new Error('ENOSPC')) } })
  output.on('error', () => {})
  output.write('line\n')
  t.equal(await written(output, { stallLimitMs }), false)
})

t.test('what cannot be written has not left', async t => {
  const output = new Writable({ write (_chunk, _encoding, done) { setImmediate(done, new Error('EIO')) } })
  output.on('error', () => {})
  output.write('line\n')
  t.equal(await written(output, { stallLimitMs }), false)
})
