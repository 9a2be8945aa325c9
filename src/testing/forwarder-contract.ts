import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { pino } from 'pino'
import type { Attempt, ForwardResult } from '../delivery/forwarder.js'
import { inTime as orLate } from '../delivery/within.js'
import { faultOf } from '../forwarders/complete-forwarder.js'
import type { CustomForwarder, ForwarderContext } from '../forwarders/custom-forwarder.js'
import { catalogue } from '../voucherify/catalogue.js'
import { oddBodies } from './odd-bodies.js'
import { sampleAttempt } from './sample-attempt.js'

/** One test of the contract, for any test runner. */
export interface ContractTest {
  readonly title: string
  /** Rejects with the broken expectation. */
  readonly run: () => Promise<void>
}

export interface ContractOptions {
  /** How long a forwarder may take for a call, or to stop after an abort, in milliseconds; 5000 if absent. */
  readonly limitMs?: number
}

/** More attempts or calls at once would show nothing new. */
const MAX_ATTEMPTS = 100
const MAX_CALLS = 16

/**
 * Returns the dispatcher's expectations of a forwarder, as tests. `create` makes a forwarder for each test. Its destination must be reachable
 * and accept everything. The test starts and closes the forwarder.
 */
export function forwarderContract (create: () => CustomForwarder | Promise<CustomForwarder>, { limitMs = 5000 }: ContractOptions = {}): readonly ContractTest[] {
  async function inTime<T> (work: Promise<T>, what: string): Promise<T> {
    return await orLate(limitMs, work, () => new assert.AssertionError({ message: `${what} took longer than ${limitMs} ms` }))
  }

  async function forward (forwarder: CustomForwarder, attempts: readonly Attempt[], signal: AbortSignal = new AbortController().signal): Promise<ForwardResult> {
    const result = await inTime((async () => await forwarder.forward(attempts, { signal }))(), 'forward')
    assertResult(result, attempts.length)
    return result
  }

  async function forwardAll (forwarder: CustomForwarder, attempts: readonly Attempt[]): Promise<ForwardResult> {
    const result = await forward(forwarder, attempts)
    for (const [index, outcome] of result.outcomes.entries()) {
      assert.equal(outcome.status, 'forwarded', `${attempts[index]?.delivery.eventType} came to nothing: ${JSON.stringify(outcome)}`)
    }
    return result
  }

  async function started (position: string | null = null): Promise<CustomForwarder> {
    const forwarder = await create()
    assert.equal(faultOf(forwarder), undefined)
    await inTime((async () => { await forwarder.start?.(position) })(), 'start')
    return forwarder
  }

  async function close (forwarder: CustomForwarder): Promise<void> {
    await inTime((async () => { await forwarder.close?.({ settled: true }) })(), 'close')
  }

  async function withForwarder (use: (forwarder: CustomForwarder) => Promise<void>): Promise<void> {
    const forwarder = await started()
    try {
      await use(forwarder)
    } finally {
      await close(forwarder)
    }
  }

  const tests: Array<readonly [title: string, run: () => Promise<void>]> = [
    ['forwards every event, one outcome for each attempt', async () => await withForwarder(async (forwarder) => {
      const attempts = catalogue.map(({ type }, index) => sampleAttempt({ eventType: type, index }))
      for (const batch of batchesOf(attempts, forwarder.batchSize ?? 1)) await forwardAll(forwarder, batch)
    })],

    ['takes as many attempts in one call as it says that it does', async () => await withForwarder(async (forwarder) => {
      await forwardAll(forwarder, someAttempts(Math.min(forwarder.batchSize ?? 1, MAX_ATTEMPTS)))
    })],

    ['takes as many calls at once as it says that it does', async () => await withForwarder(async (forwarder) => {
      const calls = Math.min(forwarder.concurrency ?? 1, MAX_CALLS)
      await Promise.all(someAttempts(calls).map(async (attempt) => await forwardAll(forwarder, [attempt])))
    })],

    ['takes the same delivery again: in a later attempt, and in a replay', async () => await withForwarder(async (forwarder) => {
      const attempt = sampleAttempt()
      // A crash may lose the first outcome. The forwarder then gets the same attempt again.
      await forwardAll(forwarder, [attempt])
      await forwardAll(forwarder, [attempt])
      await forwardAll(forwarder, [{ ...attempt, number: 2 }])
      await forwardAll(forwarder, [{ ...attempt, replay: true }])
    })],

    ...oddBodies().map(({ title, attempt }) => [`has an outcome for ${title}`, async () => await withForwarder(async (forwarder) => {
      await forward(forwarder, [attempt])
      await forwardAll(forwarder, [sampleAttempt()])
    })] as const),

    ['leaves the deliveries as they are', async () => await withForwarder(async (forwarder) => {
      const attempt = sampleAttempt()
      const before = structuredClone(attempt)
      await forwardAll(forwarder, [Object.freeze({ ...attempt, delivery: Object.freeze(attempt.delivery) })])
      assert.deepEqual(structuredClone(attempt), before)
    })],

    ['leaves off when it is told before it begins, and goes on later', async () => await withForwarder(async (forwarder) => {
      await inTime(settled(forwarder, AbortSignal.abort(new Error('The time for the attempt is over'))), 'leaving off')
      await forwardAll(forwarder, [sampleAttempt()])
    })],

    ['leaves off when it is told after it has begun, and goes on later', async () => await withForwarder(async (forwarder) => {
      const controller = new AbortController()
      const work = settled(forwarder, controller.signal)
      controller.abort(new Error('The time for the attempt is over'))
      await inTime(work, 'leaving off')
      await forwardAll(forwarder, [sampleAttempt()])
    })],

    ['goes on from the position that it gave', async () => {
      let position: string | null = null
      await withForwarder(async (forwarder) => { position = (await forwardAll(forwarder, [sampleAttempt()])).position ?? null })
      const next = await started(position)
      await forwardAll(next, [sampleAttempt({ index: 1 })])
      await close(next)
    }],

    ['closes once and once more', async () => {
      const forwarder = await started()
      await forwardAll(forwarder, [sampleAttempt()])
      await close(forwarder)
      await close(forwarder)
    }],

    ['closes without having been started', async () => { await close(await create()) }],

    ['tells, if it can, that its destination can be reached, started or not', async () => {
      const forwarder = await create()
      await inTime((async () => { await forwarder.check?.(new AbortController().signal) })(), 'check')
      await close(forwarder)
      await withForwarder(async (other) => { await inTime((async () => { await other.check?.(new AbortController().signal) })(), 'check') })
    }]
  ]
  return tests.map(([title, run]) => ({ title, run }))
}

/** Makes a call whose result does not matter. The call may end in any way, but it must end. */
async function settled (forwarder: CustomForwarder, signal: AbortSignal): Promise<void> {
  try {
    await forwarder.forward([sampleAttempt()], { signal })
  } catch {
    // Throwing is a valid way to stop.
  }
}

function someAttempts (count: number): readonly Attempt[] {
  return Array.from({ length: count }, (_each, index) => sampleAttempt({ index }))
}

function batchesOf<T> (items: readonly T[], size: number): ReadonlyArray<readonly T[]> {
  return Array.from({ length: Math.ceil(items.length / size) }, (_each, index) => items.slice(index * size, (index + 1) * size))
}

/** Checks everything at run time, because a forwarder may be written in JavaScript. */
function assertResult (result: unknown, count: number): void {
  assert.ok(typeof result === 'object' && result !== null && 'outcomes' in result && Array.isArray(result.outcomes), 'forward must return { outcomes }')
  const { outcomes } = result
  assert.equal(outcomes.length, count, 'forward must return one outcome for each attempt')
  for (const outcome of outcomes as readonly unknown[]) {
    assert.ok(typeof outcome === 'object' && outcome !== null && 'status' in outcome, 'an outcome must have a status')
    assert.ok(['forwarded', 'retry', 'dead'].includes(String(outcome.status)), 'the status of an outcome must be forwarded, retry or dead')
    const { detail, answer, afterMs } = outcome as Readonly<Record<string, unknown>>
    for (const text of [detail, answer]) assert.ok(text === undefined || typeof text === 'string', 'the detail and the answer of an outcome must be texts')
    assert.ok(afterMs === undefined || Number.isFinite(afterMs), 'afterMs must be a number of milliseconds')
    if (outcome.status !== 'forwarded') assert.ok('reason' in outcome && typeof outcome.reason === 'string', 'an outcome that is not forwarded must have a reason')
  }
  if ('position' in result && result.position !== undefined) assert.equal(typeof result.position, 'string', 'a position must be a text')
}

/** Returns an argument for `createForwarder` in a test. Defaults: a name, the temporary folder, and a logger that logs nothing. */
export function forwarderContext (given: Partial<ForwarderContext> = {}): ForwarderContext {
  return { name: 'own', folder: tmpdir(), logger: pino({ level: 'silent' }), ...given }
}
