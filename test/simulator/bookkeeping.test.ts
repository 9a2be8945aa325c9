import { randomUUID } from 'node:crypto'
import t from 'tap'
import { Acknowledged } from '../../src/simulator/acknowledged.js'
import { readAnswer } from '../../src/simulator/answer.js'
import { DueQueue } from '../../src/simulator/due-queue.js'
import { eventIds } from '../../src/simulator/event-ids.js'
import { Histogram } from '../../src/simulator/histogram.js'
import { ReceiverIds } from '../../src/simulator/receiver-ids.js'
import { Ledger } from '../../src/simulator/ledger.js'

const answer = { status: 202, message: 'Webhook accepted', durationMs: 1 }

t.test('a histogram gives percentiles to within a hundredth, whatever the durations', async t => {
  const histogram = new Histogram()
  t.strictSame(histogram.percentiles(), { p50: 0, p90: 0, p99: 0, p999: 0, max: 0 })
  const durations = Array.from({ length: 20_000 }, (_, index) => 0.01 * 1.0008 ** index)
  for (const duration of durations.toReversed()) histogram.add(duration)
  for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = durations[Math.ceil(durations.length * share) - 1] ?? 0
    t.ok(Math.abs(histogram.percentile(share) - exact) <= exact * 0.01 + 0.001, `${share} of all: ${exact}`)
  }
  t.equal(histogram.maxMs, durations.at(-1))
})

t.test('a histogram counts a negative duration as a microsecond, and one above an hour as an hour, except in the maximum', async t => {
  const histogram = new Histogram()
  histogram.add(-5)
  histogram.add(86_400_000)
  t.equal(histogram.percentile(0.5), 0.001)
  t.ok(histogram.percentile(0.99) > 4_000_000)
  t.equal(histogram.maxMs, 86_400_000)
})

t.test('a queue returns due entries, the earliest first and otherwise in the order of arrival', async t => {
  const queue = new DueQueue<number>()
  const times = Array.from({ length: 500 }, (_, index) => (index * 7919) % 101)
  times.forEach((time, index) => { queue.push(time, index) })
  t.equal(queue.take(-1), undefined)
  const removed = queue.remove(item => item % 3 === 0)
  t.equal(removed.length, 167)
  const taken: number[] = []
  for (let next = queue.take(1000); next !== undefined; next = queue.take(1000)) taken.push(next.item)
  const expected = times.map((_, index) => index).filter(index => index % 3 !== 0).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b)
  t.strictSame(taken, expected)
  t.equal(queue.nextAt, undefined)
})

t.test('a ledger counts events that were found once, more than once and not at all', async t => {
  const ledger = new Ledger()
  for (const index of [0, 1, 2, 5000]) ledger.acknowledge(index)
  ledger.found(1)
  ledger.found(2)
  ledger.found(2)
  ledger.found(3)
  ledger.found(1_000_000)
  t.strictSame(ledger.counts(), { acknowledged: 4, foundOnce: 1, missing: 2, repeated: 1 })
  t.strictSame([...ledger.missing()], [0, 5000])
  t.strictSame(ledger.first('missing', 1), [0])
  t.strictSame(ledger.first('repeated', 9), [2])
  for (let again = 0; again < 1000; again++) ledger.found(5000)
  t.equal(ledger.counts().repeated, 2, 'a count above 255 does not overflow')
  ledger.forgetFound()
  t.match(ledger.counts(), { acknowledged: 4, missing: 4 })
})

t.test('ids of any receiver are found again, and a second event with the same id is taken for the first', async t => {
  const table = new ReceiverIds()
  const ids = Array.from({ length: 6000 }, (_, index) => index % 2 === 0 ? randomUUID() : `order ${index}`)
  t.strictSame(ids.map((id, index) => table.add(index, id)), ids.map((_, index) => index))
  t.strictSame(ids.map(id => table.find(id)), ids.map((_, index) => index))
  t.equal(table.add(9999, ids[4] ?? ''), 4)
  t.equal(table.uuidOf(4), ids[4])
  t.equal(table.uuidOf(5), undefined)
  t.equal(table.find('nobody'), undefined)
})

t.test('the id of an event gives its index in any text, and an id of another run does not', async t => {
  const ids = eventIds('0123456789ab')
  t.equal(ids.eventId(255), 'ev_0123456789ab0000000000ff')
  t.equal(ids.indexIn(`{"x":"${ids.eventId(9_999_999)}"}`), 9_999_999)
  t.equal(ids.indexIn(ids.sendOutId(7)), 7)
  t.equal(ids.indexIn(eventIds('ba9876543210').eventId(7)), undefined)
  t.throws(() => eventIds('run'), TypeError)
})

t.test('events are identified by their own id, by the receiver\'s, or by one that all bodies contain', async t => {
  const ids = eventIds('0123456789ab')
  const own = new Acknowledged({ eventIds: ids, keepReceiverIds: false })
  own.add(3, { ...answer, id: 'request-1' })
  own.add(4, { ...answer, verdict: 'invalid' })
  t.match(own.ledger.counts(), { acknowledged: 1 })
  t.equal(own.quarantined, 1)
  t.equal(own.nameOf(3), ids.eventId(3))

  const uuid = randomUUID()
  const kept = new Acknowledged({ eventIds: ids, keepReceiverIds: true })
  kept.add(3, { ...answer, id: uuid, verdict: 'valid' })
  t.equal(kept.receiverIdOf(3), uuid)
  t.equal(kept.nameOf(3), `${ids.eventId(3)} ${uuid}`)

  const raw = new Acknowledged({ eventIds: undefined, keepReceiverIds: false })
  raw.add(0, answer)
  raw.add(1, { ...answer, id: uuid })
  t.equal(raw.nameless, 1)
  t.equal(raw.indexOf(uuid), 1)

  const same = new Acknowledged({ eventIds: undefined, keepReceiverIds: false, bodyId: 'ev_1' })
  same.add(0, { ...answer, id: 'request-1' })
  same.add(1, { ...answer, id: 'request-2' })
  t.match(same.ledger.counts(), { acknowledged: 1 }, 'the same body counts as one event')
  t.equal(same.indexOf('ev_1'), 0)
})

t.test('an answer is read only as far as it is useful, and a long one is cut', async t => {
  t.strictSame(readAnswer(200, '{"message":"Webhook accepted","id":"d","verdict":"valid","duplicate":true}', 1), {
    status: 200, message: 'Webhook accepted', id: 'd', verdict: 'valid', duplicate: true, durationMs: 1
  })
  const long = readAnswer(422, JSON.stringify({ title: 'x'.repeat(999), code: 'no code\n', id: 'x'.repeat(999), errors: Array(99).fill({ pointer: '/a', message: 'b' }) }), 1)
  t.match(long, { message: 'x'.repeat(200), faults: Array(5).fill('/a b') })
  t.notOk('id' in long || 'code' in long)
})
