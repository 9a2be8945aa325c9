import { once } from 'node:events'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { packAppends } from '../../src/journal/sqlite/packed-appends.js'
import { createReader } from '../../src/journal/sqlite/reader.js'
import type { StoreApi } from '../../src/journal/sqlite/store.js'
import { connectTo } from '../../src/threads/remote.js'
import { startThread } from '../../src/threads/thread.js'
import { sampleNewDelivery } from '../support/sample-delivery.js'

const options = { dedupeWindowMs: 1000, withdrawn: [] }

t.test('a store in its own thread: records are read from the disk byte for byte, and one commit takes records of both ports', async (t) => {
  const path = join(t.testdir(), 'tierhook.db')
  const failures: Error[] = []
  const commits: unknown[] = []
  const store = startThread<StoreApi>('../journal/sqlite/store-thread', { onFailure: (error) => { failures.push(error) }, onEvent: (commit) => { commits.push(commit) } })
  await t.rejects(store.remote.append(packAppends([])), { name: 'ThreadError', message: 'The journal is not open' })
  await t.rejects(store.remote.open({ path: '/nonexistent/tierhook.db', ...options }), { code: /^SQLITE_/ })
  await store.remote.open({ path, ...options })
  const forwarding = connectTo<StoreApi>(store.connect())
  await forwarding.remote.registerFeed({ forwarder: 'f', cursor: 0, term: 1 })
  const sent = [1, 2, 3].map((index) => sampleNewDelivery({ index }))
  const packed = packAppends(sent)
  const progress = { term: 1, forwarder: 'f', cursor: 0, position: 'here', breaker: undefined, changes: [], records: [] }
  const saved = forwarding.remote.save([progress])
  t.match(await store.remote.append(packed, [packed.bodies]), { results: [1, 2, 3], keysDamaged: false })
  t.equal(packed.bodies.byteLength, 0, 'the buffer is moved, not copied')
  t.equal(await saved, 'saved')
  t.match(commits, [{ deliveries: 0, error: { message: 'The journal is not open' } }, { deliveries: 3 }])

  const reader = createReader(Date.now)
  reader.open(path)
  const page = { after: 0, visible: 3, limit: 10, limitBytes: 1_000_000 }
  const read = reader.readAfter(page)
  t.strictSame({ damaged: read.damaged, bodies: read.deliveries.map(({ rawBody }) => Buffer.from(rawBody)) }, { damaged: [], bodies: sent.map(({ rawBody }) => Buffer.from(rawBody)) })
  t.equal(reader.readAfter({ ...page, limitBytes: 1 }).deliveries.length, 1, 'a page has at least one delivery')
  reader.close()

  await forwarding.remote.registerFeed({ forwarder: 'f', cursor: 0, term: 2 })
  t.equal(await forwarding.remote.save([progress]), 'lost', 'progress of an earlier term is not saved')
  t.equal(await store.close(10_000), true)
  t.equal(await store.close(1000), true, 'again')
  await t.rejects(store.remote.probe(), { code: 'THREAD_ENDED' })
  await t.rejects(forwarding.remote.probe(), { code: 'THREAD_ENDED' })
  t.strictSame(failures, [])
})

t.test('a thread that ends by itself reports it, and rejects pending calls', async (t) => {
  const failed = new Promise<Error>((resolve) => {
    const thread = startThread<StoreApi>('no-such-thread', { onFailure: resolve })
    t.rejects(thread.remote.probe()).catch(() => undefined)
  })
  t.ok((await failed) instanceof Error)
})

t.test('calls to a thread that is gone are rejected, before and after it has gone', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const connection = connectTo<StoreApi>(port1)
  const waiting = t.rejects(connection.remote.probe(), { code: 'THREAD_ENDED' })
  const closed = once(port1, 'close')
  port2.close()
  await Promise.all([waiting, closed])
  await t.rejects(connection.remote.probe(), { code: 'THREAD_ENDED' })
})
