import t, { type Test } from 'tap'
import { systemClock } from '../../src/delivery/clock.js'
import { createDispatcher } from '../../src/delivery/dispatcher.js'
import type { Attempt, Forwarder, ForwardResult, Outcome } from '../../src/delivery/forwarder.js'
import { createPump, type PumpOptions } from '../../src/delivery/pump.js'
import type { FeedOptions } from '../../src/delivery/journal.js'
import { createWholeJournal } from '../support/whole-journal.js'
import { captureLog } from '../support/capture-log.js'
import { latch } from '../support/latch.js'
import { localThreads } from '../support/local-threads.js'
import { sampleNewDelivery } from '../support/sample-delivery.js'

const DAY_MS = 86_400_000

async function build (t: Test) {
  const log = captureLog()
  const threads = localThreads()
  const journal = createWholeJournal({
    dataDir: t.testdir(), logger: log.logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: DAY_MS, maxBytes: 0 }, threads
  })
  await journal.start()
  t.teardown(async () => { await journal.close() })

  function pump (forwarder: Partial<Forwarder> & Pick<Forwarder, 'forward'>, options: Partial<PumpOptions> = {}) {
    const created = createPump({
      forwarder: { name: 'test', order: 'none', concurrency: 4, batchSize: 1, timeoutMs: 5000, ...forwarder },
      journal,
      start: 'beginning',
      accepts: () => true,
      retry: { minMs: 2, maxMs: 10, giveUpMs: 60_000 },
      breakerThreshold: 1000,
      clock: systemClock,
      random: () => 1,
      logger: log.logger,
      ...options
    })
    t.teardown(async () => { await created.close(AbortSignal.abort()) })
    return created
  }

  async function append (count: number, overrides: Parameters<typeof sampleNewDelivery>[0] = {}): Promise<string[]> {
    const appended = await Promise.all(Array.from({ length: count }, async (_, index) => await journal.append(sampleNewDelivery({ index, ...overrides }))))
    return appended.map(({ id }) => id)
  }

  return { journal, log, threads, pump, append }
}

/** A forwarder that records its deliveries, and a wait for a number of forwarded deliveries. */
function recorder (decide: (attempt: Attempt) => Outcome | Promise<Outcome> = () => ({ status: 'forwarded' })) {
  const attempts: Attempt[] = []
  const forwarded: string[] = []
  const waits: Array<{ count: number, resolve: () => void }> = []
  async function forward (batch: readonly Attempt[]): Promise<ForwardResult> {
    attempts.push(...batch)
    const outcomes: Outcome[] = []
    for (const attempt of batch) {
      const outcome = await decide(attempt)
      outcomes.push(outcome)
      if (outcome.status === 'forwarded') forwarded.push(attempt.delivery.id)
    }
    for (const wait of waits) if (forwarded.length >= wait.count) wait.resolve()
    return { outcomes }
  }
  return {
    attempts,
    forwarded,
    forward,
    until: async (count: number) => {
      if (forwarded.length < count) await new Promise<void>((resolve) => { waits.push({ count, resolve }) })
    }
  }
}

t.test('every delivery is forwarded, in the order of arrival if the forwarder takes one at a time', async (t) => {
  const { pump, append } = await build(t)
  const ids = await append(50)
  const sink = recorder()
  const running = pump({ ...sink, concurrency: 1 })
  await running.start()
  await sink.until(50)
  t.strictSame(sink.forwarded, ids)
  t.ok(sink.attempts.every(({ number, replay }) => number === 1 && !replay))
})

t.test('an append wakes an idle pump', async (t) => {
  const { pump, append } = await build(t)
  const sink = recorder()
  const running = pump(sink)
  await running.start()
  await running.idle()
  const ids = await append(3)
  await sink.until(3)
  t.strictSame(new Set(sink.forwarded), new Set(ids))
})

t.test('a failed delivery is attempted again, with the number of the attempt, until it succeeds', async (t) => {
  const { pump, append } = await build(t)
  await append(1)
  const sink = recorder(({ number }) => number < 4 ? { status: 'retry', reason: 'not yet' } : { status: 'forwarded' })
  await pump(sink).start()
  await sink.until(1)
  t.strictSame(sink.attempts.map(({ number }) => number), [1, 2, 3, 4])
})

t.test('a poison delivery does not block later deliveries', async (t) => {
  const { pump, append } = await build(t)
  const ids = await append(20)
  const sink = recorder(({ delivery }) => delivery.id === ids[0] ? { status: 'retry', reason: 'poison' } : { status: 'forwarded' })
  await pump({ ...sink, concurrency: 1 }).start()
  await sink.until(19)
  t.strictSame(sink.forwarded, ids.slice(1))
})

t.test('a delivery that is refused for good becomes a dead letter, is logged, and delays no other', async (t) => {
  const { pump, append, log } = await build(t)
  const ids = await append(3)
  const sink = recorder(({ delivery }) => delivery.id === ids[1] ? { status: 'dead', reason: 'status 410' } : { status: 'forwarded' })
  const running = pump(sink)
  await running.start()
  await sink.until(2)
  await running.idle()
  t.match(log.find('delivery dead'), [{ deliveryId: ids[1], reason: 'status 410', attempt: 1 }])
  t.equal(sink.attempts.length, 3)
})

t.test('a delivery is given up after its retry time is over', async (t) => {
  const { pump, append, log } = await build(t)
  await append(1)
  const dead = latch()
  const sink = recorder(() => ({ status: 'retry', reason: 'status 500' }))
  log.on('delivery dead', dead.open)
  await pump(sink, { retry: { minMs: 1, maxMs: 4, giveUpMs: 20 } }).start()
  await dead.opened
  t.match(log.find('delivery dead'), [{ reason: /given up after \d+ attempts: status 500/ }])
  t.ok(sink.attempts.length > 2)
})

t.test('a destination that names a time gets no retry before it', async (t) => {
  const { pump, append } = await build(t)
  await append(1)
  const times: number[] = []
  const sink = recorder(({ number }) => {
    times.push(performance.now())
    return number === 1 ? { status: 'retry', reason: 'status 429', afterMs: 150 } : { status: 'forwarded' }
  })
  await pump(sink).start()
  await sink.until(1)
  t.ok((times[1] ?? 0) - (times[0] ?? 0) >= 149)
})

t.test('destination down: after failures in a row the breaker opens, probes with one delivery, and closes', async (t) => {
  const { pump, append, log } = await build(t)
  const ids = await append(30)
  let down = true
  let probes = 0
  const sink = recorder(() => {
    if (!down) return { status: 'forwarded' }
    if (log.find('forwarder paused').length > 0 && ++probes === 3) down = false
    return { status: 'retry', reason: 'connect ECONNREFUSED' }
  })
  const running = pump({ ...sink, concurrency: 1 }, { breakerThreshold: 5, retry: { minMs: 5, maxMs: 10, giveUpMs: 60_000 } })
  await running.start()
  await sink.until(30)
  t.strictSame(new Set(sink.forwarded), new Set(ids))
  t.equal(log.find('forwarder paused').length, 1)
  t.equal(log.find('forwarder goes on').length, 1)
  t.equal(sink.attempts.length, 30 + 5 + 3, 'a delivery held by an open breaker uses no attempt')
  t.equal(running.breakerState(), 'closed')
})

t.test('a dead forwarder with a long backlog does not affect other forwarders', async (t) => {
  const { pump, append } = await build(t)
  const ids = await append(500)
  const dead = recorder(async () => await new Promise(() => {}))
  const alive = recorder()
  const dispatcher = createDispatcher([pump({ ...dead, name: 'dead' }), pump({ ...alive, name: 'alive', concurrency: 1 })])
  await dispatcher.start()
  await alive.until(500)
  t.strictSame(alive.forwarded, ids)
  t.equal(dead.attempts.length, 4)
})

t.test('a forwarder that throws, hangs or returns nonsense only fails its own attempts', async (t) => {
  const { pump, append, log } = await build(t)
  await append(3)
  const ways = [
    async () => await Promise.reject(new Error('boom')),
    async () => await new Promise<never>(() => {}),
    async () => 'nonsense' as unknown as ForwardResult
  ]
  const sink = recorder()
  const running = pump({ name: 'test', timeoutMs: 30, concurrency: 1, forward: async (batch) => await (ways.shift() ?? (async () => await sink.forward(batch)))() })
  await running.start()
  await sink.until(3)
  t.strictSame(log.find('delivery to be retried').map(({ reason }) => reason), [
    'boom', 'The forwarder did not finish within 30 ms', 'The forwarder must return one outcome for each of its 1 attempts'
  ])
})

t.test('deliveries of one customer keep their order through failures, while other customers go on', async (t) => {
  const { pump, append } = await build(t)
  const mine = await append(5, { customerId: 'cust_mine' })
  const others = await append(5)
  const sink = recorder(({ delivery, number }) => delivery.id === mine[0] && number < 3 ? { status: 'retry', reason: 'not yet' } : { status: 'forwarded' })
  await pump({ ...sink, order: 'customer' }).start()
  await sink.until(10)
  t.strictSame(sink.forwarded.filter((id) => mine.includes(id)), mine)
  t.ok(sink.forwarded.indexOf(others[0] ?? '') < sink.forwarded.indexOf(mine[0] ?? ''))
})

t.test('deliveries that a filter refuses are skipped without an attempt', async (t) => {
  const { pump, append } = await build(t)
  const ids = await append(6)
  const sink = recorder()
  const running = pump(sink, { accepts: ({ sequence }) => sequence % 2 === 0 })
  await running.start()
  await sink.until(3)
  await running.idle()
  t.strictSame(new Set(sink.forwarded), new Set(ids.filter((_, index) => index % 2 === 1)))
})

t.test('a batch is forwarded in one call', async (t) => {
  const { pump, append } = await build(t)
  await append(10)
  const sizes: number[] = []
  const sink = recorder()
  const running = pump({ concurrency: 1, batchSize: 4, order: 'arrival', forward: async (batch) => { sizes.push(batch.length); return await sink.forward(batch) } })
  await running.start()
  await sink.until(10)
  t.strictSame(sizes, [4, 4, 2])
})

t.test('deliveries that arrive soon after a batch are gathered and go together', async (t) => {
  const { pump, append } = await build(t)
  let now = 1_000_000
  const sizes: number[] = []
  const sink = recorder()
  const running = pump({ concurrency: 1, batchSize: 4, forward: async (batch) => { sizes.push(batch.length); return await sink.forward(batch) } }, { clock: { ...systemClock, monotonic: () => now } })
  await running.start()
  await append(1)
  await sink.until(1)
  await running.idle()
  now = 0
  await append(1)
  await append(1)
  t.strictSame(sizes, [1], 'the first delivery goes at once, and the later ones wait (long, because the clock was set back)')
  await running.idle()
  t.strictSame(sizes, [1, 2])
})

t.test('stopping waits for the attempt under way and begins no other', async (t) => {
  const { pump, append } = await build(t)
  await append(5)
  const begun = latch()
  const release = latch()
  const sink = recorder(async () => {
    begun.open()
    await release.opened
    return { status: 'forwarded' }
  })
  const running = pump({ ...sink, concurrency: 1 })
  await running.start()
  await begun.opened
  const closed = running.close(new AbortController().signal)
  release.open()
  await closed
  t.equal(sink.forwarded.length, 1)
  t.equal(sink.attempts.length, 1)
})

t.test('an attempt that outlasts the time for stopping is given back, and does not count', async (t) => {
  const { pump, append, log } = await build(t)
  const ids = await append(1)
  const begun = latch()
  const hanging = pump({ forward: async () => { begun.open(); return await new Promise(() => {}) } })
  await hanging.start()
  await begun.opened
  await createDispatcher([hanging]).close(10)
  t.strictSame(log.find('delivery to be retried'), [])
  const sink = recorder()
  await pump(sink).start()
  await sink.until(1)
  t.strictSame(sink.attempts.map(({ delivery, number }) => [delivery.id, number]), [[ids[0], 1]])
})

t.test('a stop does not wait longer than allowed for progress that a stalled disk does not store', async (t) => {
  const { pump, append, threads } = await build(t)
  await append(1)
  const stall = latch()
  const sink = recorder()
  let closed = 0
  const running = pump({ ...sink, close: async () => { closed++ } })
  threads.beforeWrite = async (method) => { if (method === 'commit') await stall.opened }
  await running.start()
  await sink.until(1)
  // Without a limit the test would wait here until it times out.
  await createDispatcher([running]).close(10)
  t.equal(closed, 1)
  stall.open()
})

t.test('closing twice closes once, and a pump that never started closes too', async (t) => {
  const { pump } = await build(t)
  let closed = 0
  const running = pump({ forward: recorder().forward, close: async () => { closed++ } })
  await running.close(AbortSignal.abort())
  await running.close(AbortSignal.abort())
  t.equal(closed, 1)
})

t.test('a forwarder whose progress was refused is not told at its close that everything is on disk', async (t) => {
  const { journal, pump, append } = await build(t)
  await append(1)
  const ends: unknown[] = []
  const sink = recorder()
  const lost = { openFeed: async (options: FeedOptions) => ({ ...await journal.openFeed(options), settle: async () => await Promise.reject(new Error('Another one forwards by now')) }) }
  for (const journal of [lost, undefined]) {
    const running = pump({ forward: sink.forward, close: async (end) => { ends.push(end) } }, journal === undefined ? {} : { journal })
    await running.start()
    await sink.until(1)
    await running.idle()
    await running.close(AbortSignal.abort())
  }
  t.strictSame(ends, [{ settled: false }, { settled: true }])
})

t.test('the start of a forwarder gets the position that was settled last', async (t) => {
  const { pump, append } = await build(t)
  await append(1)
  const positions: Array<string | null> = []
  const start = async (position: string | null): Promise<void> => { positions.push(position) }
  const sink = recorder()
  const first = pump({ start, forward: async (batch) => ({ ...await sink.forward(batch), position: 'after one' }) })
  await first.start()
  await sink.until(1)
  await first.idle()
  await first.close(new AbortController().signal)
  await pump({ start, forward: sink.forward }).start()
  t.strictSame(positions, [null, 'after one'])
})

t.test('a forwarder that cannot start is started again, and nothing is lost', async (t) => {
  const { pump, append, log } = await build(t)
  await append(2)
  let tries = 0
  const sink = recorder()
  const running = pump({ ...sink, start: async () => { if (++tries < 3) throw new Error('no such folder') } })
  await running.start()
  await sink.until(2)
  t.equal(tries, 3)
  t.match(log.find('forwarder cannot start'), [{ err: { message: 'no such folder' }, attempt: 1 }, { attempt: 2 }])
})

t.test('a forwarder that hangs in its start delays neither the start nor the stop of the service, and is reported', async (t) => {
  const { pump, log } = await build(t)
  const running = pump({ ...recorder(), timeoutMs: 20, start: async () => { await new Promise(() => {}) } })
  await running.start()
  t.match(log.find('forwarder cannot start'), [{ err: { message: 'It has not started within 20 ms. tierhook keeps waiting for it' }, attempt: 1 }])
  await running.close(new AbortController().signal)
})

t.test('an answer that contains the sent event is kept, and not logged', async (t) => {
  const { pump, append, log } = await build(t)
  await append(1)
  const sink = recorder(({ number }) => number < 2 ? { status: 'retry', reason: 'status 500', answer: 'Alex Doe' } : { status: 'dead', reason: 'status 410', answer: 'Alex Doe' })
  const dead = latch()
  log.on('delivery dead', dead.open)
  await pump(sink).start()
  await dead.opened
  t.match(log.find('delivery to be retried'), [{ reason: 'status 500' }])
  t.notMatch(JSON.stringify(log.lines), /Alex Doe/)
})

t.test('a paused pump finishes its attempts, begins none, and continues when it is resumed', async (t) => {
  const { pump, append, log } = await build(t)
  const [first] = await append(1)
  const begun = latch()
  const end = latch()
  const sink = recorder(async () => {
    begun.open()
    await end.opened
    return { status: 'forwarded' }
  })
  const running = pump({ ...sink, concurrency: 1 })
  await running.start()
  await begun.opened
  running.pause()
  running.pause()
  t.ok(running.isPaused())
  await append(2)
  end.open()
  await sink.until(1)
  await running.idle()
  t.strictSame(sink.attempts.map(({ delivery }) => delivery.id), [first])
  t.equal(log.find('forwarder paused by an operator').length, 1)
  running.resume()
  await sink.until(3)
  t.equal(log.find('forwarder resumed by an operator').length, 1)
  running.pause()
  await running.close(AbortSignal.timeout(5000))
})
