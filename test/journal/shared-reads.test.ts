import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { ReadDeliveries } from '../../src/journal/engine.js'
import { shareReads } from '../../src/journal/shared-reads.js'
import { sampleDelivery } from '../support/sample-delivery.js'

const BIG = 1e9

function page (first: number, last: number): ReadDeliveries {
  return { deliveries: Array.from({ length: last - first + 1 }, (_each, index) => sampleDelivery({ sequence: first + index })), upTo: last }
}

function sequences ({ deliveries, upTo }: ReadDeliveries): unknown {
  return { sequences: deliveries.map(({ sequence }) => sequence), upTo }
}

function counted (last: number, read = (found: ReadDeliveries): ReadDeliveries | Promise<ReadDeliveries> => found) {
  const asked: number[] = []
  return { asked, ...shareReads((after, limit) => { asked.push(after); return read(page(after + 1, Math.min(last, after + limit))) }) }
}

t.test('one page serves all feeds whose cursors are within it, each up to its own limits', async (t) => {
  const { asked, readAfter } = counted(10)
  t.strictSame(sequences(await readAfter(0, 100, BIG)), { sequences: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], upTo: 10 })
  t.strictSame(sequences(await readAfter(0, 3, BIG)), { sequences: [1, 2, 3], upTo: 3 })
  t.strictSame(sequences(await readAfter(7, 100, BIG)), { sequences: [8, 9, 10], upTo: 10 })
  t.strictSame(sequences(await readAfter(4, 100, 1)), { sequences: [5], upTo: 5 }, 'a page has at least one delivery')
  t.strictSame(asked, [0])
})

t.test('consecutive pages serve feeds that come later, up to a number of deliveries', async (t) => {
  const { asked, readAfter } = counted(2000)
  for (const after of [100, 110, 120]) await readAfter(after, 10, BIG)
  t.strictSame(sequences(await readAfter(115, 8, BIG)), { sequences: [116, 117, 118, 119, 120, 121, 122, 123], upTo: 123 })
  t.strictSame(asked, [100, 110, 120])
  await readAfter(95, 2, BIG)
  t.strictSame(asked, [100, 110, 120, 95], 'a feed behind the kept pages reads for itself')
  await readAfter(97, 1000, BIG)
  await readAfter(1097, 100, BIG)
  await readAfter(1000, 10, BIG)
  t.strictSame(asked, [100, 110, 120, 95, 97, 1097, 1000], 'pages above the limit are not kept')
})

t.test('a page that was handed over serves like one that was read, and joins the one before it', async (t) => {
  const { asked, readAfter, more } = counted(30)
  await readAfter(0, 10, BIG)
  more({ after: 10, found: page(11, 20) })
  t.strictSame(sequences(await readAfter(8, 100, BIG)), { sequences: [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], upTo: 20 })
  t.strictSame(asked, [0])
  more({ after: 25, found: page(26, 30) })
  t.strictSame(sequences(await readAfter(20, 2, BIG)), { sequences: [21, 22], upTo: 22 }, 'the gap between two pages is read')
  t.strictSame(asked, [0, 20])
})

t.test('a page that is read while the next one is handed over comes before it', async (t) => {
  const { asked, readAfter, more } = counted(15, async (found) => { await sleep(1); return found })
  const reading = readAfter(0, 100, BIG)
  more({ after: 10, found: page(11, 20) })
  await reading
  t.strictSame(sequences(await readAfter(9, 3, BIG)), { sequences: [10, 11, 12], upTo: 12 })
  t.strictSame(sequences(await readAfter(14, 100, BIG)), { sequences: [15, 16, 17, 18, 19, 20], upTo: 20 }, 'deliveries in both pages are returned once')
  t.strictSame(asked, [0])
})

t.test('a page says that nothing follows it only while it is complete', async (t) => {
  const { readAfter, more } = counted(0)
  more({ after: 0, found: page(1, 5) })
  more({ after: 5, found: { ...page(6, 9), isAll: true } })
  t.strictSame([(await readAfter(2, 100, BIG)).isAll, (await readAfter(2, 3, BIG)).isAll, (await readAfter(2, 100, 1)).isAll], [true, undefined, undefined])
  more({ after: 9, found: page(10, 12) })
  t.equal((await readAfter(2, 100, BIG)).isAll, undefined)
})

t.test('a page that was read before newer events became visible does not count as complete for feeds that know of them', async (t) => {
  const { asked, readAfter, more } = counted(12, async (found) => { await sleep(1); return { ...found, isAll: true } })
  const reading = readAfter(10, 100, BIG)
  more()
  const anew = readAfter(10, 100, BIG)
  t.equal((await reading).isAll, true, 'the feed that started the read learns of newer events separately')
  await anew
  t.strictSame(asked, [10, 10])
  t.equal((await readAfter(11, 100, BIG)).isAll, true)
  more()
  t.strictSame([(await readAfter(11, 100, BIG)).isAll, asked.length], [false, 2], 'the page is used, but does not count as complete')

  const second = counted(12, async (found) => { await sleep(1); return { ...found, isAll: true } })
  const before = second.readAfter(10, 100, BIG)
  second.more()
  await before
  t.strictSame([(await second.readAfter(11, 100, BIG)).isAll, second.asked.length], [false, 1], 'the same holds for a kept page')
})

t.test('a page is kept only for a short time', async (t) => {
  const { asked, readAfter } = counted(10)
  await readAfter(0, 100, BIG)
  await sleep(150)
  await readAfter(0, 100, BIG)
  t.strictSame(asked, [0, 0])
})

t.test('a read under way serves others that ask for the same, and an error goes to all and is not kept', async (t) => {
  let fails = true
  const { asked, readAfter } = counted(10, async (found) => {
    await sleep(1)
    if (fails) throw new Error('The disk is away')
    return found
  })
  const failed = await Promise.allSettled([readAfter(0, 100, BIG), readAfter(0, 2, BIG)])
  t.strictSame(failed.map(({ status }) => status), ['rejected', 'rejected'])
  fails = false
  const [first, second] = await Promise.all([readAfter(0, 100, BIG), readAfter(0, 2, BIG)])
  t.equal(first.upTo, 10)
  t.strictSame(sequences(second), { sequences: [1, 2], upTo: 2 })
  t.equal((await readAfter(5, 100, BIG)).upTo, 10)
  t.strictSame(asked, [0, 0])
})

t.test('forgotten pages are read again, also those that were being read', async (t) => {
  const { asked, readAfter, forget } = counted(10, async (found) => { await sleep(1); return found })
  const first = readAfter(0, 100, BIG)
  forget()
  const second = readAfter(0, 100, BIG)
  await Promise.all([first, second])
  forget()
  await readAfter(5, 100, BIG)
  t.strictSame(asked, [0, 0, 5])
})
