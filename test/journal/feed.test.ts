import t from 'tap'
import type { Claim } from '../../src/delivery/journal.js'
import { createFeed } from '../../src/journal/feed.js'
import type { FeedStore, ReadDeliveries, WaitingMark } from '../../src/journal/engine.js'
import { latch } from '../support/latch.js'
import { sampleDelivery } from '../support/sample-delivery.js'

const page = (first: number, last: number): ReadDeliveries => ({
  deliveries: Array.from({ length: last - first + 1 }, (_, index) => sampleDelivery({ sequence: first + index, customerId: null })), upTo: last
})
const sequences = (claims: readonly Claim[]) => claims.map(({ delivery }) => delivery.sequence)

function build (store: Partial<FeedStore>) {
  return createFeed({ forwarder: 'f', order: 'none', start: 'beginning', onWork: () => {} }, { term: 1, cursor: 0, position: null, paused: false, settled: new Float64Array() }, {
    readAfter: () => ({ deliveries: [], upTo: 0 }),
    readMany: async (wanted) => new Map(wanted.map((sequence) => [sequence, sampleDelivery({ sequence })])),
    readDue: async () => ({ marks: [], nextInMs: undefined }),
    readLanes: async () => [],
    readMarks: async () => [],
    commit: async () => {},
    giveUp: async () => {},
    monotonic: () => performance.now(),
    ...store
  })
}

t.test('deliveries in memory are handed out while the next page is read, and the page after it has been read', async (t) => {
  const { opened, open } = latch()
  const feed = build({
    async readAfter (after) {
      if (after === 0) return page(1, 10)
      await opened
      return page(11, 12)
    }
  })
  t.strictSame(sequences((await feed.claim(4)).claims), [1, 2, 3, 4])
  t.strictSame(sequences((await feed.claim(100)).claims), [5, 6, 7, 8, 9, 10])
  const next = feed.claim(100)
  open()
  t.strictSame(sequences((await next).claims), [11, 12])
})

t.test('a page that cannot be read is reported after all other deliveries were handed out, and is read again', async (t) => {
  let broken = true
  let reads = 0
  const feed = build({
    async readAfter (after) {
      if (after === 0) return page(1, 3)
      reads++
      if (broken) throw new Error('the disk does not answer')
      return page(after + 1, 4)
    }
  })
  for (const sequence of [1, 2, 3]) t.strictSame(sequences((await feed.claim(1)).claims), [sequence])
  t.equal(reads, 1, 'the page is not read again for each claim')
  await t.rejects(async () => await feed.claim(1), { message: 'the disk does not answer' })
  broken = false
  t.strictSame(sequences((await feed.claim(1)).claims), [4])
})

t.test('new deliveries do not wait for replays to be read', async (t) => {
  const mark = (sequence: number): WaitingMark => ({ sequence, replay: 1, lane: null, attempt: 1, waitedMs: 0, dueInMs: 0 })
  let arrived = 0
  let pages = 0
  const feed = build({
    readAfter: (after) => after < arrived ? page(after + 1, arrived) : { deliveries: [], upTo: after },
    async readDue (_forwarder, kind, { limit }) {
      if (kind === 'first') return { marks: [], nextInMs: undefined }
      if (++pages > 1) await new Promise(() => {})
      return { marks: Array.from({ length: limit }, (_, index) => mark(index + 1)), nextInMs: 0 }
    }
  })
  const replays = await feed.claim(1000)
  t.ok(replays.claims.length > 0 && replays.claims.every(({ replay }) => replay))
  arrived = 5000
  feed.wake()
  const { claims } = await feed.claim(1)
  t.strictSame([sequences(claims), claims[0]?.replay], [[1], false])
})

t.test('settlements that are stored together share one promise', async (t) => {
  const { opened } = latch()
  const feed = build({ readAfter: (after) => after === 0 ? page(1, 2) : { deliveries: [], upTo: after }, commit: () => opened })
  const { claims } = await feed.claim(2)
  const promises = claims.map((claim) => feed.settle([{ claim, result: { status: 'forwarded' } }]))
  t.equal(promises[0], promises[1])
})

t.test('a claim is settled once, and only by the feed that handed it out', async (t) => {
  const store: Partial<FeedStore> = { readAfter: (after) => after === 0 ? page(1, 1) : { deliveries: [], upTo: after } }
  const [feed, other] = [build(store), build(store)]
  const { claims: [claim] } = await feed.claim(1)
  if (claim === undefined) throw new Error('there is no claim')
  const settlement = { claim, result: { status: 'forwarded' } } as const
  await t.rejects(other.settle([settlement]), TypeError)
  await t.rejects(feed.settle([{ ...settlement, claim: { ...claim } }]), TypeError)
  await feed.settle([settlement])
  await t.rejects(feed.settle([settlement]), TypeError)
})
