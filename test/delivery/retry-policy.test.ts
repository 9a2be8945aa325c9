import fc from 'fast-check'
import t from 'tap'
import { backoffMs } from '../../src/delivery/retry-policy.js'

const policy = { minMs: 1000, maxMs: 300_000, giveUpMs: 86_400_000 }

t.test('the longest wait doubles with each attempt, up to the limit', async (t) => {
  t.strictSame([1, 2, 3, 9, 10, 1000].map((attempt) => backoffMs(attempt, policy, 1)), [1000, 2000, 4000, 256_000, 300_000, 300_000])
})

t.test('a retry never comes at once, and never later than the limit', async () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
    const wait = backoffMs(attempt, policy, random)
    return wait >= policy.minMs / 2 && wait <= policy.maxMs
  }))
})

t.test('deliveries that failed together are not retried together', async (t) => {
  const waits = new Set(Array.from({ length: 100 }, (_, index) => Math.round(backoffMs(8, policy, index / 100))))
  t.ok(waits.size > 95)
})
