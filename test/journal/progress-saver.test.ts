import t, { type Test } from 'tap'
import type { FeedCommit, SaveResult } from '../../src/journal/engine.js'
import { createProgressSaver } from '../../src/journal/progress-saver.js'

const record = (sequence: number) => ({ sequence, replay: 0, attempt: 1, startedAt: 0, durationMs: 1, outcome: 'forwarded', detail: null } as const)
const progress = (forwarder: string, cursor: number, more: Partial<FeedCommit> = {}): FeedCommit => ({
  forwarder, term: 1, cursor, position: undefined, breaker: undefined, changes: [], records: [record(cursor)], ...more
})

interface Saving {
  readonly commits: readonly FeedCommit[]
  readonly end: (results: readonly SaveResult[]) => void
  readonly fail: () => void
}

/** A saver whose store answers when the test says so. */
function saverIn (t: Test) {
  let tell: (saving: Saving) => void = () => {}
  const saver = createProgressSaver({
    save: async (commits) => await new Promise((resolve, reject) => { tell({ commits, end: resolve, fail: () => { reject(new Error('the disk does not answer')) } }) }),
    onLost: () => {},
    onDefect: (error) => { t.fail(String(error)) }
  })
  const saving = async (): Promise<Saving> => await new Promise((resolve) => { tell = resolve })
  return { saver, saving }
}

t.test('the progress of one forwarder is merged, with all its records and the latest values', async (t) => {
  const { saver, saving } = saverIn(t)
  const sent = saving()
  const first = saver.save(progress('a', 1, { position: 'here', breaker: 'open' }))
  const other = saver.save(progress('b', 9))
  t.equal(saver.save(progress('a', 2)), first)
  t.equal(saver.save(progress('a', 3, { breaker: 'closed' })), first)
  const { commits, end } = await sent
  t.strictSame(commits, [
    { forwarder: 'a', term: 1, cursor: 3, position: 'here', breaker: 'closed', changes: [], records: [record(1), record(2), record(3)] }, progress('b', 9)
  ])
  end(['saved', 'saved'])
  await Promise.all([first, other])
  await saver.close(0)
})

t.test('progress that arrives during a commit is not part of it, and follows it if it fails', async (t) => {
  const { saver, saving } = saverIn(t)
  const sent = saving()
  const early = saver.save(progress('a', 1))
  const { commits, fail } = await sent
  const late = saver.save(progress('a', 2))
  t.not(early, late)
  t.strictSame(commits.map(({ cursor }) => cursor), [1])
  const again = saving()
  fail()
  const retried = await again
  t.strictSame(retried.commits.map(({ cursor }) => cursor), [1, 2])
  retried.end(['saved', 'saved'])
  await Promise.all([early, late])
  await saver.close(0)
})

t.test('the progress of two terms is not merged', async (t) => {
  const { saver, saving } = saverIn(t)
  const sent = saving()
  const lost = t.rejects(saver.save(progress('a', 1)))
  const saved = saver.save(progress('a', 1, { term: 2 }))
  const { commits, end } = await sent
  t.strictSame(commits.map(({ term }) => term), [1, 2])
  end(['lost', 'saved'])
  await Promise.all([lost, saved])
  await saver.close(0)
})
