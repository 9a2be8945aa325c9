import t from 'tap'
import { createCircuitBreaker } from '../../src/delivery/circuit-breaker.js'

function build ({ random = 1 } = {}) {
  let now = 0
  const breaker = createCircuitBreaker({ threshold: 3, minMs: 1000, maxMs: 8000, monotonic: () => now, random: () => random })
  const fail = (): void => {
    breaker.started()
    breaker.failed()
  }
  return { breaker, fail, advance: (ms: number) => { now += ms } }
}

t.test('the breaker opens after the allowed number of failures in a row', async (t) => {
  const { breaker, fail } = build()
  fail()
  fail()
  t.equal(breaker.state(), 'closed')
  t.equal(breaker.allowance(), Infinity)
  t.equal(breaker.reopensInMs(), 0)
  fail()
  t.equal(breaker.state(), 'open')
  t.equal(breaker.allowance(), 0)
  t.equal(breaker.reopensInMs(), 1000)
})

t.test('a success in between resets the count', async (t) => {
  const { breaker, fail } = build()
  fail()
  fail()
  breaker.succeeded()
  fail()
  fail()
  t.equal(breaker.state(), 'closed')
})

t.test('after its pause the breaker lets one probe through, and closes if that succeeds', async (t) => {
  const { breaker, fail, advance } = build()
  fail(); fail(); fail()
  advance(1000)
  t.equal(breaker.state(), 'half-open')
  t.equal(breaker.allowance(), 1)
  breaker.started()
  t.equal(breaker.allowance(), 0)
  breaker.succeeded()
  t.equal(breaker.state(), 'closed')
  t.equal(breaker.allowance(), Infinity)
})

t.test('each failed probe doubles the pause, up to the limit', async (t) => {
  const { breaker, fail, advance } = build()
  fail(); fail(); fail()
  const pauses = []
  for (let probe = 0; probe < 6; probe++) {
    pauses.push(breaker.reopensInMs())
    advance(breaker.reopensInMs())
    fail()
  }
  t.strictSame(pauses, [1000, 2000, 4000, 8000, 8000, 8000])
})

t.test('attempts that began before the breaker opened, and fail after it, do not count as probes', async (t) => {
  const { breaker, fail } = build()
  fail(); fail(); fail()
  breaker.failed()
  breaker.failed()
  t.equal(breaker.reopensInMs(), 1000)
})

t.test('two processes do not probe together', async (t) => {
  const early = build({ random: 0 })
  early.fail(); early.fail(); early.fail()
  t.equal(early.breaker.reopensInMs(), 500)
})
