import t from 'tap'
import { attemptBatch, reasonOf } from '../../src/delivery/attempt.js'
import type { Attempt, Forwarder } from '../../src/delivery/forwarder.js'
import { sampleDelivery } from '../support/sample-delivery.js'

const attempts: readonly Attempt[] = [1, 2].map((sequence) => ({ delivery: sampleDelivery({ sequence }), number: 1, replay: false }))

function build (forward: unknown, timeoutMs = 1000): Forwarder {
  return { name: 'test', order: 'none', concurrency: 1, batchSize: 2, timeoutMs, forward: forward as Forwarder['forward'] }
}

const never = new AbortController().signal

t.test('outcomes and the position come back as the forwarder gave them', async (t) => {
  const outcomes = [{ status: 'forwarded', detail: 'status 200' }, { status: 'dead', reason: 'status 410' }]
  t.strictSame(await attemptBatch(build(async () => ({ outcomes, position: 'here' })), attempts, never), { outcomes, position: 'here' })
})

for (const [title, forward] of Object.entries({
  'a forwarder that throws': () => { throw new Error('boom') },
  'a forwarder that rejects': async () => await Promise.reject(new Error('boom')),
  'a forwarder that rejects with what is no error': async () => await Promise.reject('boom') // eslint-disable-line prefer-promise-reject-errors
})) {
  t.test(`${title} fails its own attempts and nothing more`, async (t) => {
    const retry = { status: 'retry', reason: 'boom' }
    t.strictSame(await attemptBatch(build(forward), attempts, never), { outcomes: [retry, retry] })
  })
}

for (const [title, nonsense] of Object.entries({
  nothing: undefined,
  'no outcomes': {},
  'too few outcomes': { outcomes: [{ status: 'forwarded' }] },
  'outcomes that are none': { outcomes: [{ status: 'forwarded' }, 'forwarded'] },
  'an unknown status': { outcomes: [{ status: 'forwarded' }, { status: 'ok' }] },
  'a failure without a reason': { outcomes: [{ status: 'forwarded' }, { status: 'retry' }] },
  'a time that is none': { outcomes: [{ status: 'forwarded' }, { status: 'retry', reason: 'x', afterMs: NaN }] },
  'an answer that is no text': { outcomes: [{ status: 'forwarded' }, { status: 'forwarded', answer: {} }] },
  'a text': 'forwarded'
})) {
  t.test(`a forwarder that returns ${title} has forwarded nothing`, async (t) => {
    const { outcomes } = await attemptBatch(build(async () => nonsense), attempts, never)
    t.strictSame(outcomes.map(({ status }) => status), ['retry', 'retry'])
    t.match(outcomes, [{ reason: /one outcome for each of its 2 attempts/ }])
  })
}

t.test('a forwarder that hangs is given up after its time, and is told', async (t) => {
  let signal: AbortSignal | undefined
  const forwarder = build(async (_attempts: unknown, context: { signal: AbortSignal }) => {
    signal = context.signal
    await new Promise(() => {})
  }, 20)
  const { outcomes } = await attemptBatch(forwarder, attempts, never)
  t.match(outcomes, [{ status: 'retry', reason: 'The forwarder did not finish within 20 ms' }, { status: 'retry' }])
  t.equal(signal?.aborted, true)
})

t.test('a forwarder that throws after its time was over disturbs nobody', async (t) => {
  let reject: (error: Error) => void = () => {}
  const forwarder = build(async () => { await new Promise((_resolve, _reject) => { reject = _reject }) }, 10)
  await attemptBatch(forwarder, attempts, never)
  const unhandled: unknown[] = []
  const listener = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', listener)
  reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listener)
  t.strictSame(unhandled, [])
})

t.test('stopping ends an attempt at once', async (t) => {
  const stop = new AbortController()
  const done = attemptBatch(build(async () => { await new Promise(() => {}) }), attempts, stop.signal)
  stop.abort(new Error('stopping'))
  t.match(await done, { outcomes: [{ status: 'retry', reason: 'stopping' }, { status: 'retry' }] })
})

t.test('an attempt that begins after the stop ends at once too', async (t) => {
  const result = await attemptBatch(build(async () => { await new Promise(() => {}) }), attempts, AbortSignal.abort(new Error('stopped')))
  t.match(result, { outcomes: [{ status: 'retry', reason: 'stopped' }, { status: 'retry' }] })
})

t.test('the reason of an error is its message, with its cause', async (t) => {
  t.equal(reasonOf(new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') })), 'fetch failed: connect ECONNREFUSED')
  t.equal(reasonOf(new TypeError('')), 'TypeError')
  t.equal(reasonOf('text'), 'text')
})
