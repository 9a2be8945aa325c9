import t from 'tap'
import type { DeliveryStatus } from '../../../src/delivery/listing.js'
import { filterText } from '../../../src/forwarders/delivery-filter.js'
import { openOperator } from '../../../src/composition/open-store.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, record, settleAll } from './stored.js'

const one = { order: 'oldest first', limit: 10 } as const

t.test('deliveries that a filter refuses are shown as skipped, not as forwarded', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery({ customerId: null }), newDelivery({ customerId: null }))
  const { claims } = await http.claim(10)
  await http.settle(claims.map((claim, index) => index === 0 ? { claim, result: { status: 'skipped' }, record } : { claim, result: forwarded(), record }))
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  const statusesOf = async (): Promise<Array<DeliveryStatus | undefined>> => (await operator.list({ filter: {}, ...one })).map(({ forwarders }) => forwarders[0]?.status)
  t.strictSame(await statusesOf(), ['skipped', 'forwarded'])
  t.strictSame((await operator.list({ filter: { status: 'skipped' }, ...one })).map(({ sequence }) => sequence), [1])
  t.strictSame((await operator.list({ filter: { status: 'forwarded' }, ...one })).map(({ sequence }) => sequence), [2])
  await operator.replay({ sequences: [1], forwarders: ['http'], finishedOnly: false, description: '', dryRun: false })
  await settleAll(http, forwarded)
  t.strictSame(await statusesOf(), ['forwarded', 'forwarded'], 'a skipped delivery counts as forwarded after a replay')
})

t.test('a dead letter that is replayed to a forwarder whose filter now refuses it stays a dead letter', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery())
  await settleAll(http, dead)
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  await operator.replay({ sequences: [1], forwarders: ['http'], finishedOnly: false, description: '', dryRun: false })
  http.wakeReplays()
  const { claims } = await http.claim(10)
  t.equal(claims.length, 1)
  await http.settle(claims.map((claim) => ({ claim, result: { status: 'skipped' as const }, record })))
  t.match(await operator.deadLetters({ limit: 10 }), [{ sequence: 1, reason: 'status 410', replaying: false }])
  t.match(await operator.list({ filter: {}, ...one }), [{ forwarders: [{ status: 'dead' }] }])
  t.match((await operator.read(1))?.attempts.at(-1), { outcome: 'skipped', replay: true })
})

t.test('a delivery discarded from quarantine is gone, and a copy of it is still a duplicate', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http')
  const quarantined = quarantinedDelivery({ dedupeKey: 'same', receivedAt: Date.now() })
  store.append(quarantined, newDelivery())
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  t.strictSame(await operator.discard({ from: 'quarantine', sequences: [1, 2, 3] }), [
    { sequence: 1, status: 'discarded' }, { sequence: 2, status: 'not there' }, { sequence: 3, status: 'not there' }
  ])
  t.equal(await operator.countQuarantined(), 0)
  t.equal(await operator.read(1), undefined)
  store.append(quarantinedDelivery({ dedupeKey: 'same', receivedAt: Date.now() }))
  t.equal((await operator.list({ filter: {}, ...one })).length, 1)
  t.equal((await settleAll(http, forwarded)).length, 1)
})

t.test('a discarded dead letter is no longer one, and is not shown as forwarded', async (t) => {
  const store = makeStore(t)
  const [http, file] = [store.feed('http'), store.feed('file')]
  store.append(newDelivery(), newDelivery())
  await settleAll(http, dead)
  await settleAll(file, dead)
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  t.match(await operator.discard({ from: 'dead letters', forwarder: 'http', sequences: [1, 7] }), [{ status: 'discarded' }, { status: 'not there' }])
  t.strictSame((await operator.deadLetters({ limit: 10 })).map(({ forwarder, sequence }) => [forwarder, sequence]), [['file', 2], ['http', 2], ['file', 1]])
  t.match(await operator.list({ filter: {}, ...one }), [{ forwarders: [{ forwarder: 'file', status: 'dead' }, { forwarder: 'http', status: 'discarded' }] }, {}])
  t.strictSame((await operator.list({ filter: { status: 'discarded' }, ...one })).map(({ sequence }) => sequence), [1])
  t.strictSame(await operator.list({ filter: { status: 'forwarded', forwarder: 'http' }, ...one }), [])
})

t.test('a dead letter that was discarded while another delivery still blocks the cursor is gone, also after a crash', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery({ customerId: 'cust_slow' }), newDelivery(), newDelivery())
  const { claims } = await http.claim(10)
  t.match(claims, [{ delivery: { sequence: 1 } }, { delivery: { sequence: 2 } }])
  await http.settle(claims.slice(1).map((claim) => ({ claim, result: dead(), record })))
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  t.match(await operator.discard({ from: 'dead letters', forwarder: 'http', sequences: [2] }), [{ status: 'discarded' }])
  // The state after a kill.
  const again = await settleAll(store.feed('http'), forwarded)
  t.strictSame(again.map(({ delivery: { sequence } }) => sequence), [1, 3])
})

t.test('a replay to a forwarder whose filter refuses the delivery says so and changes nothing, except by force', async (t) => {
  const store = makeStore(t)
  const http = store.feed('http', { filter: filterText({ events: ['campaign.*'] }) })
  store.append(newDelivery())
  await settleAll(http, dead)
  const operator = openOperator({ dataDir: store.dataDir })
  t.teardown(operator.close)
  const asked = { sequences: [1], forwarders: ['http'], finishedOnly: false, description: '', dryRun: false }
  t.strictSame(await operator.replay(asked), { replays: 0, passedOver: 0, filtered: 1, refused: [{ sequence: 1, why: 'filtered' }] })
  t.match(await operator.deadLetters({ limit: 10 }), [{ sequence: 1, replaying: false }])
  t.match(await operator.replay({ ...asked, force: true }), { replays: 1, filtered: 0, refused: { length: 0 } })
  const [claim] = await settleAll(http, forwarded)
  t.equal(claim?.forced, true)
  t.strictSame(await operator.deadLetters({ limit: 10 }), [])
})
