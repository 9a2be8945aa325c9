import t from 'tap'
import { createRecent } from '../../../src/journal/sqlite/recent.js'
import { sampleDelivery } from '../../support/sample-delivery.js'

function filled (count: number, overrides: { readonly rawBody?: Uint8Array } = {}) {
  const recent = createRecent(0)
  for (let sequence = 1; sequence <= count; sequence++) recent.add(sampleDelivery({ ...overrides, sequence }))
  return recent
}

t.test('what comes after a sequence is at hand, up to what may be seen, and no more than was asked for', async (t) => {
  const recent = filled(5)
  t.strictSame(recent.after(2, 5, 10)?.deliveries.map(({ sequence }) => sequence), [3, 4, 5])
  t.strictSame(recent.after(2, 4, 10)?.deliveries.map(({ sequence }) => sequence), [3, 4])
  t.match(recent.after(0, 5, 2), { deliveries: [{ sequence: 1 }, { sequence: 2 }], upTo: 2 })
})

t.test('what every reader has is let go, and then it is not at hand', async (t) => {
  const recent = filled(5)
  recent.release(3)
  t.equal(recent.after(2, 5, 10), undefined)
  t.strictSame(recent.after(3, 5, 10)?.deliveries.map(({ sequence }) => sequence), [4, 5])
  recent.release(1)
  t.strictSame(recent.after(3, 5, 10)?.upTo, 5, 'a slower reader lets nothing more go')
})

t.test('beyond its limits, in number and in bytes, the older half goes', async (t) => {
  const many = filled(2049)
  t.equal(many.after(0, 2049, 1), undefined)
  t.equal(many.after(1025, 2049, 1)?.deliveries[0]?.sequence, 1026)
  const large = filled(3, { rawBody: new Uint8Array(4 * 1024 * 1024) })
  t.equal(large.after(1, 3, 1), undefined)
  t.equal(large.after(2, 3, 1)?.deliveries[0]?.sequence, 3)
})
