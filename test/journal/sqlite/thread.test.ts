import { join } from 'node:path'
import t from 'tap'
import { packAppends } from '../../../src/journal/sqlite/packed-appends.js'
import type { WriterApi } from '../../../src/journal/sqlite/protocol.js'
import { unpackDeliveries } from '../../../src/journal/sqlite/packed-deliveries.js'
import type { ReaderApi } from '../../../src/journal/sqlite/reader.js'
import { startThread } from '../../../src/journal/sqlite/thread.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'

t.test('a writer and a reader in threads of their own: what one stores the other reads, byte for byte', async (t) => {
  const path = join(t.testdir(), 'tierhook.db')
  const failures: Error[] = []
  const writer = startThread<WriterApi>('../../writer-thread', (error) => { failures.push(error) })
  const reader = startThread<ReaderApi>('reader-thread', (error) => { failures.push(error) })
  await t.rejects(writer.remote.commit({ withdraw: [], progress: [], appends: packAppends([]) }), { name: 'ThreadError', message: 'The journal is not open' })
  await t.rejects(writer.remote.open({ path: '/nonexistent/tierhook.db', dedupeWindowMs: 1, withdrawn: [] }), { code: /^SQLITE_/ })
  await writer.remote.open({ path, dedupeWindowMs: 1000, withdrawn: [] })
  await reader.remote.open({ path })
  const sent = [1, 2, 3].map((index) => sampleNewDelivery({ index }))
  const appends = packAppends(sent)
  t.match(await writer.remote.commit({ withdraw: [], progress: [], appends }, [appends.bodies]), { appends: [1, 2, 3] })
  t.equal(appends.bodies.byteLength, 0, 'moved, not copied')
  const read = await reader.remote.readAfter({ after: 0, visible: 3, limit: 10, limitBytes: 1_000_000 })
  t.strictSame(read.damaged, [])
  t.strictSame(unpackDeliveries(read.deliveries).map(({ rawBody }) => Buffer.from(rawBody)), sent.map(({ rawBody }) => Buffer.from(rawBody)))
  t.equal((await reader.remote.readAfter({ after: 0, visible: 3, limit: 10, limitBytes: 1 })).deliveries.sequences.length, 1, 'one at least')
  t.strictSame([await writer.close(10_000), await reader.close(10_000)], [true, true])
  t.equal(await writer.close(1000), true, 'again')
  await t.rejects(writer.remote.prune({ now: 0, quarantinedBefore: 0, receivedBefore: 0, maxBytes: 0, keysBefore: 0, limit: 1, after: 0 }), { code: 'THREAD_ENDED' })
  t.strictSame(failures, [])
})

t.test('a thread that ends by itself says so, and rejects what was asked of it', async (t) => {
  const failed = new Promise<Error>((resolve) => {
    const thread = startThread<WriterApi>('no-such-thread', resolve)
    t.rejects(thread.remote.commit({ withdraw: [], progress: [], appends: packAppends([]) })).catch(() => undefined)
  })
  t.ok((await failed) instanceof Error)
})
