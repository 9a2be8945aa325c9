import t from 'tap'
import { createBulk, type BulkJob } from '../../src/admin-api/bulk.js'
import type { RecordedAction } from '../../src/admin-api/operator-action.js'
import { dead, quarantinedDelivery, makeStore, newDelivery, now, settleAll } from '../journal/sqlite/stored.js'
import { openOperator } from '../../src/composition/open-store.js'
import { buildAdmin } from '../support/build-admin.js'
import { eventually } from '../support/eventually.js'
import { latch } from '../support/latch.js'

t.test('all dead letters with a reason are replayed at a rate, and the list then has who asked for it', async (t) => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 5 }, () => newDelivery()))
  await settleAll(store.feed('http'), dead)
  const actions: RecordedAction[] = []
  const admin = await buildAdmin(t, { dataDir: store.dataDir, onAction: (action) => { actions.push(action) }, actions: async () => actions })
  t.strictSame((await admin.get('/api/reasons')).body, { reasons: [{ from: 'dead letters', forwarder: 'http', reason: 'status 410', count: 5 }], complete: true })
  t.match(await admin.post('/api/bulk', { body: { from: 'dead letters', action: 'replay', forwarder: 'htpp', reason: 'status 410' } }), { status: 404, body: { code: 'FORWARDER_UNKNOWN' } })
  t.match(await admin.post('/api/bulk', { body: { from: 'quarantine', action: 'replay', reason: 'x' } }), { status: 400 })
  t.match((await admin.post('/api/bulk', { body: { from: 'dead letters', action: 'replay', forwarder: 'http', reason: 'another' } })).body, { total: 0 })
  t.match((await admin.post('/api/bulk', { body: { from: 'dead letters', action: 'replay', forwarder: 'http', reason: 'status 410', ratePerSecond: 1000 } })).body, { id: 2, total: 5 })
  const jobs = async (): Promise<readonly BulkJob[]> => (await admin.get('/api/bulk')).body['jobs'] as readonly BulkJob[]
  await eventually(async () => (await jobs())[0]?.state === 'done' || undefined, 'the replays to be done')
  t.match(await jobs(), [{ id: 2, gone: 5, done: 5 }, { id: 1, state: 'done' }])
  t.strictSame((await admin.get('/api/reasons?from=dead%20letters')).body['reasons'], [], 'deliveries being replayed are not counted as dead letters')
  t.match((await admin.get('/api/actions')).body['actions'], [{ count: 0 }, { action: 'replay', from: 'dead letters', forwarders: ['http'], count: 5, filter: { reason: 'status 410' }, sourceAddress: '127.0.0.1', token: null }])
  t.match(admin.log.find('operator action').at(-1), { action: 'replay', count: 5, sourceAddress: '127.0.0.1' })
  t.match(await admin.post('/api/bulk/77/stop'), { status: 404 })
})

t.test('dead letters can be replayed by a reason of the greatest length', async (t) => {
  const store = makeStore(t)
  store.append(newDelivery())
  // A custom forwarder's reason as it is kept: 2048 characters of the reason, and as many of the answer.
  const reason = `${'r'.repeat(2048)}…: ${'a'.repeat(2048)}…`
  await settleAll(store.feed('crm'), () => ({ status: 'dead', reason }))
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  t.match((await admin.get('/api/reasons')).body['reasons'], [{ reason, count: 1 }])
  t.match(await admin.post('/api/bulk', { body: { from: 'dead letters', action: 'replay', forwarder: 'crm', reason } }), { status: 200, body: { total: 1 } })
})

t.test('quarantined deliveries are released or discarded by their reason', async (t) => {
  const store = makeStore(t)
  store.feed('http')
  const faults = [{ pointer: '/data', message: 'must be an object' }]
  store.append(quarantinedDelivery({ faults }), quarantinedDelivery({ faults }), quarantinedDelivery({ faults: [] }))
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  t.match((await admin.get('/api/reasons')).body['reasons'], [{ from: 'quarantine', reason: '/data must be an object', count: 2 }, { reason: /valid/, count: 1 }])
  for (const [action, reason] of [['release', '/data must be an object'], ['discard', 'invalid']]) await admin.post('/api/bulk', { body: { from: 'quarantine', action, reason } })
  await eventually(async () => {
    const { body } = await admin.get('/api/reasons')
    return Array.isArray(body['reasons']) && body['reasons'].length === 0 ? true : undefined
  }, 'an empty quarantine')
})

t.test('bulk work can be stopped, can fail by itself, and only a limited number runs at once', async (t) => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 12 }, () => newDelivery()))
  await settleAll(store.feed('http'), dead)
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(async () => { await operator.close() })
  const waiting = latch()
  const waits: number[] = []
  const ended: BulkJob[] = []
  const bulk = createBulk({
    operator,
    onChange: () => {},
    now: () => now,
    async sleep (ms, signal) {
      waits.push(ms)
      waiting.open()
      await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }) })
    }
  })
  const request = { from: 'dead letters', action: 'discard', forwarder: 'http', reason: 'status 410', ratePerSecond: 2 } as const
  const { id } = await bulk.start(request, (job) => { ended.push(job) })
  await waiting.opened
  t.strictSame(waits, [1000], 'two at once, then a wait of one second')
  t.match(bulk.stop(id), { id })
  await eventually(() => ended[0], 'the end of the stopped job')
  t.match(ended, [{ state: 'stopped', total: 12, gone: 2, done: 2 }])

  for (let index = 0; index < 5; index++) await bulk.start({ ...request, ratePerSecond: 1, reason: 'status 410' }, () => {})
  await t.rejects(bulk.start(request, () => {}), { code: 'BULK_TOO_MANY' })
  const failing = createBulk({ operator: { ...operator, discard: async () => { throw new Error('disk') } }, onChange: () => {}, now: () => now })
  const failed = await new Promise<BulkJob>((resolve) => { failing.start(request, resolve).catch(() => {}) })
  t.equal(failed.state, 'failed')
  bulk.close()
})
