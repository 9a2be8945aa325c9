import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createRunLoop } from '../../src/delivery/run-loop.js'

function build (t: Test, { gatherMs = 0 } = {}) {
  const taken: Array<{ readonly end: (restMs?: number) => void, readonly fail: (error: Error) => void }> = []
  const defects: unknown[] = []
  let rests = 0
  let running = 0
  const runLoop = createRunLoop({
    take: async () => {
      running++
      t.equal(running, 1, 'two runs never overlap')
      try {
        return await new Promise<number | undefined>((resolve, reject) => { taken.push({ end: resolve, fail: reject }) })
      } finally {
        running--
      }
    },
    gatherMs: () => gatherMs,
    onRest () { rests++ },
    onDefect (error) { defects.push(error) }
  })
  t.teardown(() => { runLoop.end() })
  return { runLoop, taken, defects, rests: () => rests }
}

t.test('a request before the first run has no effect', async (t) => {
  const { runLoop, taken, rests } = build(t)
  runLoop.now()
  runLoop.soon()
  await nextTurn()
  t.equal(taken.length + rests(), 0)
  runLoop.begin()
  t.equal(taken.length, 1)
})

t.test('a run that is requested during another one follows it once, and then the loop rests', async (t) => {
  const { runLoop, taken, rests } = build(t)
  runLoop.begin()
  runLoop.now()
  runLoop.soon()
  runLoop.now()
  t.equal(taken.length, 1)
  taken[0]?.end()
  await nextTurn()
  t.equal(taken.length, 2)
  t.equal(rests(), 0)
  taken[1]?.end()
  await nextTurn()
  t.equal(taken.length, 2)
  t.equal(rests(), 1)
})

t.test('the next run starts after the time that the last one asked for, and earlier if a run is requested', async (t) => {
  const { runLoop, taken } = build(t)
  runLoop.begin()
  taken[0]?.end(1)
  while (taken.length < 2) await nextTurn()
  taken[1]?.end(3_600_000)
  await nextTurn()
  runLoop.now()
  t.equal(taken.length, 3)
})

t.test('requests that can wait share a run', async (t) => {
  const { runLoop, taken } = build(t, { gatherMs: 5 })
  runLoop.begin()
  taken[0]?.end()
  await nextTurn()
  runLoop.soon()
  runLoop.soon()
  t.equal(taken.length, 1, 'no run has started yet')
  while (taken.length < 2) await nextTurn()
  taken[1]?.end()
  await sleep(20)
  t.equal(taken.length, 2)
})

t.test('after the end no run starts by itself, and a requested one starts at once', async (t) => {
  const { runLoop, taken } = build(t, { gatherMs: 1 })
  runLoop.begin()
  taken[0]?.end()
  await nextTurn()
  runLoop.soon()
  runLoop.end()
  runLoop.soon()
  t.equal(taken.length, 2)
  taken[1]?.end(1)
  await sleep(20)
  t.equal(taken.length, 2)
})

t.test('a failed run is reported, and no other follows', async (t) => {
  const { runLoop, taken, defects, rests } = build(t)
  runLoop.begin()
  taken[0]?.fail(new Error('a defect'))
  await nextTurn()
  runLoop.now()
  t.match(defects, [{ message: 'a defect' }])
  t.equal(taken.length, 1)
  t.equal(rests(), 0)
})

t.test('a wait longer than a timer allows works', async (t) => {
  const { runLoop, taken } = build(t)
  runLoop.begin()
  taken[0]?.end(31 * 86_400_000)
  await nextTurn()
  // A timer that is too long ends after 1 ms, so before this one.
  await sleep(5)
  t.equal(taken.length, 1)
})
