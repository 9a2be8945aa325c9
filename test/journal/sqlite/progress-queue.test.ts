import t from 'tap'
import type { FeedCommit } from '../../../src/journal/feed-store.js'
import { createProgressQueue, toCommit } from '../../../src/journal/sqlite/progress-queue.js'

const record = (sequence: number) => ({ sequence, replay: 0, attempt: 1, startedAt: 0, durationMs: 1, outcome: 'forwarded', detail: null } as const)
const progress = (forwarder: string, cursor: number, more: Partial<FeedCommit> = {}): FeedCommit => ({
  forwarder, cursor, position: undefined, breaker: undefined, changes: [], records: [record(cursor)], ...more
})

t.test('the progress of one forwarder is one, with all its records and what was said last', async (t) => {
  const queue = createProgressQueue()
  const first = queue.add(progress('a', 1, { position: 'here', breaker: 'open' }))
  queue.add(progress('b', 9))
  t.equal(queue.add(progress('a', 2)), first)
  t.equal(queue.add(progress('a', 3, { breaker: 'closed' })), first)
  t.equal(queue.length(), 2)
  const [a, b] = queue.take()
  if (a === undefined || b === undefined) throw new Error('two')
  t.strictSame(toCommit(a), { forwarder: 'a', cursor: 3, position: 'here', breaker: 'closed', changes: [], records: [record(1), record(2), record(3)] })
  t.match(toCommit(b), { forwarder: 'b', cursor: 9 })
  a.resolve()
  await first
})

t.test('what comes while a commit is under way is no part of it, and comes after it where it fails', async (t) => {
  const queue = createProgressQueue()
  const early = queue.add(progress('a', 1))
  const taken = queue.take()
  const late = queue.add(progress('a', 2))
  t.not(early, late)
  t.strictSame(taken.map(({ cursor }) => cursor), [1])
  queue.putBack(taken)
  t.strictSame(queue.take().map(({ cursor }) => cursor), [1, 2])
  t.equal(queue.length(), 0)
})
