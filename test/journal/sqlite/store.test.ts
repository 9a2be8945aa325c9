import { join } from 'node:path'
import t from 'tap'
import type { FeedCommit } from '../../../src/journal/engine.js'
import { createStore } from '../../../src/journal/sqlite/store.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'

t.test('progress of an earlier term is not stored after the next term has begun', async (t) => {
  const writer = createWriter(Date.now)
  const store = createStore(writer, { monotonic: () => performance.now(), onCommit: () => {} })
  store.open({ path: join(t.testdir(), 'tierhook.db'), dedupeWindowMs: 1000, withdrawn: [] })
  const progress = (term: number, cursor: number): FeedCommit => ({ forwarder: 'f', term, cursor, position: undefined, breaker: undefined, changes: [], records: [] })
  store.registerFeed({ forwarder: 'f', cursor: 0, term: 1 })
  const early = store.save([progress(1, 7)])
  t.match(store.registerFeed({ forwarder: 'f', cursor: 0, term: 2 }), { cursor: 0, term: 2 })
  t.equal(await early, 'lost')
  t.match(store.registerFeed({ forwarder: 'f', cursor: 0, term: 2 }), { cursor: 0 })
  t.equal(await store.save([progress(2, 3)]), 'saved')
  t.match(store.registerFeed({ forwarder: 'f', cursor: 0, term: 2 }), { cursor: 3 })
  await store.close()
})
