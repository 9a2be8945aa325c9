import t from 'tap'
import { createAttempts, reasonOf } from '../../src/delivery/attempt.js'
import type { Attempt, ForwardContext, Forwarder, ForwardResult } from '../../src/delivery/forwarder.js'
import { sampleDelivery } from '../support/sample-delivery.js'

const attempts: readonly Attempt[] = [1, 2].map((sequence) => ({ delivery: sampleDelivery({ sequence }), number: 1, replay: false }))

function build (forward: unknown, timeoutMs = 1000): Forwarder {
  return { name: 'test', order: 'none', concurrency: 1, batchSize: 2, timeoutMs, forward: forward as Forwarder['forward'] }
}

async function attempt (forwarder: Forwarder): Promise<ForwardResult> {
  return await createAttempts(forwarder).run(attempts)
}

t.test('outcomes and the position are returned as the forwarder gave them', async (t) => {
  const outcomes = [{ status: 'forwarded', detail: 'status 200' }, { status: 'dead', reason: 'status 410' }]
  t.strictSame(await attempt(build(async () => ({ outcomes, position: 'here' }))), { outcomes, position: 'here' })
})

for (const [title, forward] of Object.entries({
  'a forwarder that throws': () => { throw new Error('boom') },
  'a forwarder that rejects': async () => await Promise.reject(new Error('boom')),
  'a forwarder that rejects with a value that is not an error': async () => await Promise.reject('boom') // eslint-disable-line prefer-promise-reject-errors
})) {
  t.test(`${title} fails its own attempts and nothing more`, async (t) => {
    const retry = { status: 'retry', reason: 'boom' }
    t.strictSame(await attempt(build(forward)), { outcomes: [retry, retry] })
  })
}

for (const [title, nonsense] of Object.entries({
  nothing: undefined,
  'no outcomes': {},
  'too few outcomes': { outcomes: [{ status: 'forwarded' }] },
  'an invalid outcome': { outcomes: [{ status: 'forwarded' }, 'forwarded'] },
  'an unknown status': { outcomes: [{ status: 'forwarded' }, { status: 'ok' }] },
  'a failure without a reason': { outcomes: [{ status: 'forwarded' }, { status: 'retry' }] },
  'an invalid time': { outcomes: [{ status: 'forwarded' }, { status: 'retry', reason: 'x', afterMs: NaN }] },
  'an answer that is not a text': { outcomes: [{ status: 'forwarded' }, { status: 'forwarded', answer: {} }] },
  'an outcome and a missing one': { outcomes: Object.assign(new Array(2), { 0: { status: 'forwarded' } }) },
  'a text': 'forwarded'
})) {
  t.test(`a forwarder that returns ${title} has forwarded nothing`, async (t) => {
    const { outcomes } = await attempt(build(async () => nonsense))
    t.strictSame(outcomes.map(({ status }) => status), ['retry', 'retry'])
    t.match(outcomes, [{ reason: /one outcome for each of its 2 attempts/ }])
  })
}

function throwing (): never {
  throw new Error('boom')
}

for (const [title, forward] of Object.entries({
  'a result that throws when it is read': async () => ({ get outcomes () { return throwing() } }),
  'an outcome that throws when it is read': async () => ({ outcomes: [{ status: 'forwarded' }, { get status () { return throwing() } }] }),
  'a proxy that throws': async () => new Proxy({}, { get: (_target, key) => key === 'then' ? undefined : throwing() })
})) {
  t.test(`${title} fails its own attempts, and not the process`, async (t) => {
    const retry = { status: 'retry', reason: 'boom' }
    t.strictSame(await attempt(build(forward)), { outcomes: [retry, retry] })
  })
}

t.test('later changes to the outcomes by the forwarder, and extra properties, have no effect', async (t) => {
  let reads = 0
  const changing = { get status () { return ++reads === 1 ? 'forwarded' : throwing() } }
  const kept = { status: 'retry', reason: 'x', afterMs: 1, extra: 1 }
  const result = { outcomes: [changing, kept] }
  const { outcomes } = await attempt(build(async () => result))
  Object.assign(kept, { status: 'nonsense' })
  result.outcomes.length = 0
  t.strictSame(outcomes, [{ status: 'forwarded' }, { status: 'retry', reason: 'x', afterMs: 1 }])
})

t.test('only the beginning of an endless text is kept', async (t) => {
  const endless = 'x'.repeat(10_000_000)
  const [first, second] = (await attempt(build(async () => ({ outcomes: [{ status: 'forwarded', detail: endless, answer: endless }, { status: 'dead', reason: endless }] })))).outcomes
  t.match([first, second], [{ detail: /^x{2048}…$/, answer: /^x{2048}…$/ }, { reason: /^x{2048}…$/ }])
  t.match(await attempt(build(async () => { throw new Error(endless) })), { outcomes: [{ reason: /^x{2048}…$/ }, { status: 'retry' }] })
})

t.test('an abort listener that throws does not keep other listeners from being called', async (t) => {
  const told: unknown[] = []
  const result = await attempt(build(async (_attempts: unknown, { onAbort }: ForwardContext) => {
    onAbort?.(() => throwing())
    onAbort?.((reason) => { told.push(reason) })
    await new Promise(() => {})
  }, 10))
  t.match(result, { outcomes: [{ reason: 'The forwarder did not finish within 10 ms' }, { status: 'retry' }] })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(told.length, 1)
})

t.test('a forwarder that hangs is abandoned after its time, and its signal aborts', async (t) => {
  let signal: AbortSignal | undefined
  const forwarder = build(async (_attempts: unknown, context: { signal: AbortSignal }) => {
    signal = context.signal
    await new Promise(() => {})
  }, 20)
  const { outcomes } = await attempt(forwarder)
  t.match(outcomes, [{ status: 'retry', reason: 'The forwarder did not finish within 20 ms' }, { status: 'retry' }])
  t.equal(signal?.aborted, true)
})

t.test('a forwarder that throws after its time is over affects no other attempt', async (t) => {
  let reject: (error: Error) => void = () => {}
  const forwarder = build(async () => { await new Promise((_resolve, _reject) => { reject = _reject }) }, 10)
  await attempt(forwarder)
  const unhandled: unknown[] = []
  const listener = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', listener)
  reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listener)
  t.strictSame(unhandled, [])
})

t.test('stopping ends an attempt at once', async (t) => {
  const told: unknown[] = []
  const running = createAttempts(build(async (_attempts: unknown, { onAbort, signal }: ForwardContext) => {
    onAbort?.((reason) => { told.push(reason) })
    signal.addEventListener('abort', () => { told.push(signal.reason) })
    await new Promise(() => {})
  }))
  const done = running.run(attempts)
  const reason = new Error('stopping')
  running.abort(reason)
  t.match(await done, { outcomes: [{ status: 'retry', reason: 'stopping' }, { status: 'retry' }] })
  t.strictSame(new Set(told), new Set([reason]))
  t.equal(told.length, 2, 'the forwarder\'s signal is aborted in both cases')
})

t.test('a forwarder that registers for the abort only after it happened is called at once', async (t) => {
  let context: ForwardContext | undefined
  await attempt(build(async (_attempts: unknown, given: ForwardContext) => {
    context = given
    await new Promise(() => {})
  }, 10))
  const told: unknown[] = []
  context?.onAbort?.((reason) => { told.push(reason) })
  t.match(told, [{ message: 'The forwarder did not finish within 10 ms' }])
  t.equal(context?.signal.aborted, true)
  t.equal(context?.signal.reason, told[0])
})

t.test('an attempt that begins after the stop ends at once', async (t) => {
  const stopped = createAttempts(build(async () => { await new Promise(() => {}) }))
  stopped.abort(new Error('stopped'))
  t.match(await stopped.run(attempts), { outcomes: [{ status: 'retry', reason: 'stopped' }, { status: 'retry' }] })
})

t.test('the reason of an error is its message, with its cause', async (t) => {
  t.equal(reasonOf(new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') })), 'fetch failed: connect ECONNREFUSED')
  t.equal(reasonOf(new TypeError('')), 'TypeError')
  t.equal(reasonOf('text'), 'text')
})

t.test('an unreadable error has a reason too', async (t) => {
  const reason = 'The forwarder failed, and its error cannot be read'
  const unreadable = [Object.create(null), Object.defineProperty(new Error('x'), 'message', { get: throwing }), new Proxy({}, { getPrototypeOf: throwing })]
  for (const error of unreadable) {
    t.equal(reasonOf(error), reason)
    t.strictSame(await attempt(build(async () => await Promise.reject(error))), { outcomes: [{ status: 'retry', reason }, { status: 'retry', reason }] })
  }
  t.type(reasonOf(Object.assign(new Error(''), { name: undefined })), 'string')
})
