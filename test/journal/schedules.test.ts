import t from 'tap'
import { createArrivalSchedule } from '../../src/journal/arrival-schedule.js'
import { createLaneSchedule } from '../../src/journal/lane-schedule.js'
import { LIMITS } from '../../src/journal/limits.js'
import { sampleDelivery } from '../support/sample-delivery.js'

let now = 0
const monotonic = (): number => now
const lanes = (cursor = 0) => createLaneSchedule({ cursor, laneOf: ({ customerId }) => customerId, monotonic, limits: LIMITS })
const delivery = (sequence: number, customerId: string | null = null) => sampleDelivery({ sequence, customerId })
const mark = (sequence: number, replay = 0, dueAt = 0, lane: string | null = null) => ({ sequence, replay, lane, attempt: 1, waitedMs: 0, dueAt })

t.test('waiting deliveries come in the order of their due times, whatever the order of their arrival', (t) => {
  now = 0
  const schedule = lanes(10)
  const times = [5, 3, 9, 1, 7, 3, 8, 2, 6, 4]
  times.forEach((dueAt, index) => { schedule.restore(mark(index + 1, 0, dueAt)) })
  t.strictSame(schedule.take(1).entries, [])
  const taken: number[] = []
  for (now = 1; now < 10; now++) taken.push(...schedule.take(10).entries.map(({ dueAt }) => dueAt))
  t.strictSame(taken, times.toSorted((a, b) => a - b))
  t.end()
})

t.test('the cursor passes only finished or marked deliveries', (t) => {
  const schedule = lanes()
  for (const sequence of [1, 2, 3]) schedule.offer(delivery(sequence))
  schedule.pass(7)
  const [one, two, three] = schedule.take(3).entries
  if (one === undefined || two === undefined || three === undefined) throw new Error('Expected three entries')
  schedule.settle(three, { status: 'forwarded' })
  t.equal(schedule.cursor(), 0)
  schedule.settle(one, { status: 'skipped' })
  t.equal(schedule.cursor(), 1)
  schedule.settle(two, { status: 'retry', reason: 'down', delayMs: 10 })
  t.equal(schedule.cursor(), 7)
  t.match(schedule.drainChanges(), [{ type: 'wait', entry: { sequence: 2, attempt: 2 }, delayMs: 10 }])
  t.strictSame(schedule.size(), { unmarked: 0, unmarkedBytes: 0 })
  t.end()
})

t.test('a replay in a lane waits its turn, and later deliveries of the lane are marked', (t) => {
  const schedule = lanes(5)
  schedule.restore(mark(2, 9, 0, 'a'))
  schedule.offer(delivery(6, 'a'))
  t.match(schedule.drainChanges(), [{ type: 'wait', entry: { sequence: 6, replay: 0 } }])
  t.equal(schedule.cursor(), 6)
  t.strictSame(schedule.size(), { unmarked: 0, unmarkedBytes: 0 })
  const [replay] = schedule.take(5).entries
  t.match(replay, { sequence: 2, replay: 9 })
  if (replay !== undefined) schedule.settle(replay, { status: 'dead', reason: 'no' })
  t.strictSame(schedule.take(5).entries, [], 'the marked delivery is not in memory: it must be read from the disk')
  t.end()
})

t.test('with order arrival, marks that another order left behind go first, and do not block the cursor', (t) => {
  now = 0
  const schedule = createArrivalSchedule({ cursor: 4, monotonic })
  schedule.restore(mark(2))
  schedule.restore(mark(1, 3))
  schedule.restore(mark(1, 4, 50))
  schedule.offer(delivery(5))
  schedule.pass(6)
  t.equal(schedule.cursor(), 4)
  t.strictSame(schedule.size(), { unmarked: 1, unmarkedBytes: delivery(5).rawBody.byteLength })
  t.strictSame([schedule.marks('first'), schedule.marks('replay')], [1, 2])
  const first = schedule.take(9).entries
  t.strictSame(first.map(({ sequence }) => sequence), [2, 5])
  t.strictSame(schedule.take(9).entries, [])
  for (const entry of first) schedule.settle(entry, { status: 'forwarded' })
  t.match(schedule.drainChanges(), [{ type: 'finish', entry: { sequence: 2 } }])
  t.equal(schedule.cursor(), 6)
  const replays = schedule.take(9).entries
  t.strictSame(replays.map(({ replay }) => replay), [3], 'the throttled replay is not handed out')
  for (const entry of replays) schedule.settle(entry, { status: 'retry', reason: 'down', delayMs: 20 })
  t.match(schedule.take(9), { entries: { length: 0 }, dueInMs: 20 })
  now = 60
  for (const entry of schedule.take(9).entries) schedule.settle(entry, { status: 'dead', reason: 'no' })
  t.match(schedule.drainChanges(), [{ type: 'dead', entry: { replay: 3 } }, { type: 'dead', entry: { replay: 4 } }])
  t.strictSame(schedule.take(9), { entries: [] })
  t.end()
})
