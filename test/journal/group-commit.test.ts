import t, { type Test } from 'tap'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import type { AppendResult } from '../../src/journal/engine.js'
import { createGroupCommit, EARLY_APPENDS } from '../../src/journal/group-commit.js'
import { sampleNewDelivery } from '../support/sample-delivery.js'

/** An engine that answers appends when the test says so. */
function engineIn (t: Test, { appendsAtOnce = 1, withdrawal = Promise.resolve() }: { readonly appendsAtOnce?: number, readonly withdrawal?: Promise<void> } = {}) {
  const appends: Array<{ ids: string[], withinMs: number, resolve: (results: readonly AppendResult[]) => void, reject: (error: Error) => void }> = []
  const seen = { visible: [] as number[], withdrawn: [] as string[], recorded: [] as string[] }
  const groupCommit = createGroupCommit({
    engine: {
      appendsAtOnce,
      append: async (deliveries: readonly NewDelivery[], withinMs) => await new Promise((resolve, reject) => { appends.push({ ids: deliveries.map(({ id }) => id), withinMs, resolve, reject }) }),
      mayBeStored: (error) => error instanceof Error && error.message === 'the connection was lost',
      async withdraw (ids) {
        await withdrawal
        seen.withdrawn.push(...ids)
      },
      recordWithdrawals: async (ids) => { seen.recorded.push(...ids) },
      clearWithdrawals: () => { seen.recorded = [] },
      setVisible: (sequence) => { seen.visible.push(sequence) }
    },
    onDefect: (error) => { t.fail(String(error)) },
    locked: () => undefined,
    monotonic: () => performance.now(),
    storeTimeoutMs: 4000,
    withdrawTimeoutMs: 500
  })
  groupCommit.open()
  t.teardown(async () => { await groupCommit.close(0) })
  return { groupCommit, appends, seen }
}

async function turn (): Promise<void> {
  await new Promise((resolve) => { setImmediate(resolve) })
}

t.test('an engine that takes one append at a time gets all events that arrived meanwhile with the next append', async (t) => {
  const { groupCommit, appends } = engineIn(t)
  const sent = [1, 2, 3].map((index) => sampleNewDelivery({ index }))
  const answers = sent.slice(0, 1).map(async (delivery) => await groupCommit.append(delivery))
  await turn()
  answers.push(...sent.slice(1).map(async (delivery) => await groupCommit.append(delivery)))
  await turn()
  t.strictSame(appends.map(({ ids }) => ids), [[sent[0]?.id]])
  appends[0]?.resolve([1])
  await answers[0]
  await turn()
  t.strictSame(appends.map(({ ids }) => ids), [[sent[0]?.id], [sent[1]?.id, sent[2]?.id]])
  t.ok((appends[1]?.withinMs ?? Infinity) <= 4000)
  appends[1]?.resolve([2, 3])
  t.match(await Promise.all(answers), sent.map(({ id }) => ({ status: 'stored', id })))
})

t.test('callers that append again at once, however many, share the next call of an engine that takes one append at a time', async (t) => {
  const { groupCommit, appends } = engineIn(t)
  const many = 2 * EARLY_APPENDS
  const append = async (): Promise<unknown> => await groupCommit.append(sampleNewDelivery({}))
  const again = Array.from({ length: many }, async () => {
    await append()
    await append()
  })
  await turn()
  t.equal(appends[0]?.ids.length, many)
  again.push(...Array.from({ length: many }, async () => { await append() }))
  await turn()
  appends[0]?.resolve(Array.from({ length: many }, (_each, index) => index + 1))
  // The next append starts after this turn of the event loop.
  await turn()
  await turn()
  t.strictSame(appends.map(({ ids }) => ids.length), [many, 2 * many])
  appends[1]?.resolve(Array.from({ length: 2 * many }, (_each, index) => many + index + 1))
  await Promise.all(again)
})

t.test('events that the engine certainly did not store are refused, and those that it may have stored are withdrawn before later events may be read', async (t) => {
  const { groupCommit, appends, seen } = engineIn(t)
  const refused = t.rejects(groupCommit.append(sampleNewDelivery({})), { code: 'JOURNAL_UNAVAILABLE' })
  await turn()
  appends[0]?.reject(new Error('a rule was broken'))
  await refused
  t.strictSame(seen.withdrawn, [])
  const unsure = sampleNewDelivery({})
  const refusedToo = t.rejects(groupCommit.append(unsure), { code: 'JOURNAL_UNAVAILABLE' })
  await turn()
  appends[1]?.reject(new Error('the connection was lost'))
  await refusedToo
  t.strictSame(seen.withdrawn, [unsure.id])
  t.strictSame(seen.visible, [0, 0], 'visibility is updated after each append, but not before an unconfirmed event is withdrawn')
})

t.test('refusals at the end stay noted for the next start, also if a withdrawal succeeds later', async (t) => {
  let withdraw = (): void => {}
  const { groupCommit, appends, seen } = engineIn(t, { appendsAtOnce: 2, withdrawal: new Promise((resolve) => { withdraw = resolve }) })
  const [first, second] = [sampleNewDelivery({ index: 1 }), sampleNewDelivery({ index: 2 })]
  const refused = t.rejects(groupCommit.append(first))
  await turn()
  appends[0]?.reject(new Error('the connection was lost'))
  await refused
  const late = t.rejects(groupCommit.append(second))
  await turn()
  await groupCommit.close(0)
  await late
  withdraw()
  await turn()
  t.strictSame(seen.withdrawn, [first.id])
  t.ok(seen.recorded.includes(second.id), 'the second event is recorded, because its commit may still succeed')
})
