import t from 'tap'
import type { RunningForwarder } from '../../src/admin-api/api-forwarders.js'
import { createLastOutcomes } from '../../src/admin-api/last-outcomes.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, now, settleAll } from '../journal/sqlite/stored.js'
import { buildAdmin } from '../support/build-admin.js'

t.test('deliveries are listed newest first, filtered, and paged by a cursor that stays right while more arrive', async t => {
  const store = makeStore(t)
  const made = Array.from({ length: 5 }, (_, index) => newDelivery({ customerId: index % 2 === 0 ? 'cust_even' : 'cust_odd', receivedAt: now + index * 1000 }))
  store.append(...made)
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  const ids = made.map(({ id }) => id).reverse()

  const first = await admin.get('/api/deliveries?limit=2')
  t.match(first.body, { deliveries: [{ id: ids[0], sequence: 5, receivedAt: new Date(now + 4000).toISOString(), forwarders: { length: 0 }, faults: { length: 0 } }, { id: ids[1] }], next: String })
  store.append(newDelivery())
  const second = await admin.get(`/api/deliveries?limit=2&cursor=${String(first.body['next'])}`)
  t.match(second.body, { deliveries: [{ id: ids[2] }, { id: ids[3] }] })
  const third = await admin.get(`/api/deliveries?limit=2&cursor=${String(second.body['next'])}`)
  t.match(third.body, { deliveries: [{ id: ids[4] }], next: null })

  t.match((await admin.get('/api/deliveries?after=5')).body, { deliveries: [{ sequence: 6 }], next: null })
  t.match((await admin.get('/api/deliveries?customerId=cust_odd')).body['deliveries'], { length: 2 })
  t.match((await admin.get('/api/deliveries?eventType=campaign.*')).body, { deliveries: { length: 0 } })
  t.match((await admin.get(`/api/deliveries?since=${new Date(now + 1000).toISOString()}&until=${new Date(now + 2000).toISOString()}`)).body, { deliveries: [{ id: made[1]?.id }] })
})

t.test('deliveries are found by ids of the greatest length that is kept', async t => {
  const store = makeStore(t)
  const ids = { customerId: 'c'.repeat(256), campaignId: 'p'.repeat(256), sourceId: 's'.repeat(256), eventType: 'e'.repeat(256) }
  store.append(newDelivery(ids), newDelivery())
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  for (const [name, value] of Object.entries({ ...ids, q: ids.customerId })) {
    t.match(await admin.get(`/api/deliveries?${name}=${value}`), { status: 200, body: { deliveries: { length: 1 } } }, name)
  }
  t.match(await admin.get(`/api/dead-letters?eventType=${ids.eventType}`), { status: 200 })
})

t.test('a delivery is shown with its body as received, by its id or the beginning of the id', async t => {
  const store = makeStore(t)
  const text = newDelivery({ id: '019a0000-0000-7000-8000-000000000001', rawBody: Buffer.from('{"n": 1.10, "ü": "\u2028"}') })
  const binary = newDelivery({ id: '019a0000-0000-7000-8000-000000000002', rawBody: Buffer.from([0x7B, 0xFF, 0x7D]) })
  store.append(text, binary)
  const feed = store.feed('http')
  await settleAll(feed, dead)
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  t.match((await admin.get(`/api/deliveries/${text.id}`)).body, {
    id: text.id,
    body: '{"n": 1.10, "ü": "\u2028"}',
    bodyBase64: null,
    damaged: false,
    headers: { 'content-type': 'application/json' },
    forwarders: [{ forwarder: 'http', status: 'dead', diedAt: /Z$/, reason: 'status 410' }],
    attempts: [{ forwarder: 'http', outcome: 'dead', startedAt: new Date(now).toISOString(), durationMs: 12.5, replay: false }]
  })
  t.match((await admin.get(`/api/deliveries/${binary.id.toUpperCase()}`)).body, { body: null, bodyBase64: Buffer.from([0x7B, 0xFF, 0x7D]).toString('base64') })
  t.match(await admin.get('/api/deliveries/019a'), { status: 409, body: { code: 'DELIVERY_AMBIGUOUS', detail: new RegExp(`${text.id}, ${binary.id}`) } })
  t.match(await admin.get('/api/deliveries/ffff'), { status: 404, body: { code: 'DELIVERY_UNKNOWN', detail: /begins with, "ffff"/ } })
  t.match(await admin.post('/api/quarantine/release', { body: { ids: [text.id, 'fffe'] } }), { status: 404, body: { code: 'DELIVERY_UNKNOWN', detail: /begins with, "fffe"/ } })
  for (const path of ['/api/deliveries?status=dead&forwarder=htpp', '/api/dead-letters?forwarder=htpp']) {
    t.match(await admin.get(path), { status: 404, body: { code: 'FORWARDER_UNKNOWN', detail: /no forwarder "htpp". It knows http/ } }, 'a mistyped forwarder name gets an error, not an empty list')
  }
  t.match((await admin.get('/api/deliveries?since=2026-01-31')).body, { detail: /since must be a time with Z or an offset, such as 2026-01-31T08:00:00Z/ })
})

t.test('a delivery is replayed to the named forwarders, or to all', async t => {
  const store = makeStore(t)
  const [one, quarantined] = [newDelivery(), quarantinedDelivery()]
  store.append(one, quarantined)
  const http = store.feed('http')
  store.feed('file')
  await settleAll(http, forwarded)
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  t.same((await admin.post(`/api/deliveries/${one.id}/replay`, { body: { forwarders: ['http', 'http'] } })).body, { replays: 1, passedOver: 0, filtered: 0, refused: [] })
  t.equal((await admin.post(`/api/deliveries/${one.id}/replay`)).body['replays'], 2)
  t.same((await admin.post(`/api/deliveries/${quarantined.id}/replay`)).body, { replays: 0, passedOver: 0, filtered: 0, refused: [{ id: quarantined.id, why: 'quarantined' }] })
  t.match(await admin.post(`/api/deliveries/${one.id}/replay`, { body: { forwarders: ['nobody'] } }), { status: 404, body: { code: 'FORWARDER_UNKNOWN', detail: /file, http/ } })
  t.equal((await settleAll(http, forwarded)).filter(({ replay }) => replay).length, 2)
})

t.test('quarantine is listed, and a release reports the result for each delivery', async t => {
  const store = makeStore(t)
  const [one, quarantined] = [newDelivery(), quarantinedDelivery()]
  store.append(one, quarantined)
  const http = store.feed('http')
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  t.match((await admin.get('/api/quarantine')).body, { deliveries: [{ id: quarantined.id, state: 'quarantined', faults: [{ pointer: '/data/customer' }] }], next: null })
  const ids = [one.id, quarantined.id]
  t.match((await admin.post('/api/quarantine/release', { body: { ids } })).body, { released: [{ id: one.id, status: 'not in quarantine' }, { id: quarantined.id, status: 'still invalid', verdict: 'invalid' }] })
  t.match((await admin.post('/api/quarantine/release', { body: { ids: [quarantined.id], force: true } })).body, { released: [{ id: quarantined.id, status: 'released' }] })
  t.match((await admin.get('/api/quarantine')).body, { deliveries: { length: 0 } })
  t.same((await settleAll(http, forwarded)).map(({ delivery }) => delivery.id).sort(), ids.sort())
})

t.test('dead letters are listed, and replayed only to the forwarder that gave up on them', async t => {
  const store = makeStore(t)
  const [one, other] = [newDelivery(), newDelivery()]
  store.append(one, other)
  const http = store.feed('http')
  await settleAll(http, ({ delivery }) => delivery.id === one.id ? dead() : forwarded())
  await settleAll(store.feed('file'), forwarded)
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  t.match((await admin.get('/api/dead-letters?forwarder=http&eventType=customer.*')).body, { deadLetters: [{ id: one.id, forwarder: 'http', attempts: 1, reason: 'status 410', replaying: false }], next: null })
  t.same((await admin.get('/api/dead-letters?forwarder=file')).body, { deadLetters: [], next: null })
  const body = { forwarder: 'http', ids: [one.id, other.id] }
  t.same((await admin.post('/api/dead-letters/replay', { body })).body, { replays: 1, passedOver: 0, filtered: 0, refused: [{ id: other.id, why: 'not dead' }] })
  t.equal((await admin.post('/api/dead-letters/replay', { body })).body['replays'], 0, 'a second click requests no replay')
  t.same((await settleAll(http, forwarded)).map(({ delivery }) => delivery.id), [one.id])
})

t.test('forwarders are shown with their backlog, configured or not, and paused and resumed', async t => {
  const store = makeStore(t)
  store.append(newDelivery({ receivedAt: now }))
  store.feed('http')
  store.feed('gone')
  let paused = false
  const running: RunningForwarder = {
    name: 'http', type: 'http', destination: 'https://shop.example/…', breakerState: () => 'open', isPaused: () => paused, pause: () => { paused = true }, resume: () => { paused = false }
  }
  const outcomes = createLastOutcomes(() => now)
  outcomes.observer.attemptsEnded?.({ forwarder: 'http', durationMs: 1, counts: { forwarded: 1, retry: 1, dead: 0 }, last: { status: 'retry', reason: 'status 503' } })
  const admin = await buildAdmin(t, { dataDir: store.dataDir, forwarders: () => [running], lastOutcome: outcomes.of })
  const counts = { pending: 1, retrying: 0, dead: 0, oldestReceivedAt: new Date(now).toISOString() }
  t.same((await admin.get('/api/forwarders')).body, {
    forwarders: [
      { name: 'gone', configured: false, ...counts, breaker: 'closed', paused: false },
      {
        name: 'http',
        configured: true,
        type: 'http',
        destination: 'https://shop.example/…',
        ...counts,
        breaker: 'open',
        paused: false,
        lastOutcome: { status: 'retry', at: new Date(now).toISOString(), reason: 'status 503' }
      }
    ]
  })
  t.same((await admin.post('/api/forwarders/http/pause')).body, { name: 'http', paused: true })
  t.match((await admin.get('/api/forwarders')).body, { forwarders: [{}, { paused: true }] })
  t.same((await admin.post('/api/forwarders/http/resume')).body, { name: 'http', paused: false })
  t.match(await admin.post('/api/forwarders/gone/pause'), { status: 404, body: { code: 'FORWARDER_UNKNOWN' } })
})

t.test('q finds by the beginning of any id, a word of the type or a forwarder\'s name; a forwarder without a status finds all deliveries for it', async (t) => {
  const store = makeStore(t)
  const one = newDelivery({ customerId: 'cust_abcdef', eventId: 'ev_1', campaignId: 'camp_1', eventType: 'customer.loyalty.tier.upgraded' })
  const other = newDelivery({ customerId: 'cust_xyz', eventId: 'ev_2', campaignId: 'camp_2', eventType: 'campaign.loyalty_tier.created' })
  store.append(one, other)
  await settleAll(store.feed('http'), dead)
  const admin = await buildAdmin(t, { dataDir: store.dataDir, forwarders: () => [{ name: 'http', type: 'http', destination: '', isPaused: () => false, pause () {}, resume () {}, breakerState: () => 'closed' }] })
  const found = async (query: string): Promise<unknown> => {
    const { deliveries } = (await admin.get(`/api/deliveries?${query}`)).body
    return Array.isArray(deliveries) ? deliveries.map(({ eventId }: { readonly eventId: string }) => eventId) : deliveries
  }
  for (const q of ['cust_abc', 'ev_1', 'camp_1', one.id, one.id.toUpperCase(), 'upgraded', 'customer.loyalty', 'tier.up']) t.strictSame(await found(`q=${q}`), ['ev_1'], q)
  t.strictSame(await found('q=loyalty'), ['ev_2', 'ev_1'], 'a whole word matches, and so does the beginning of a word')
  t.strictSame(await found('q=ust_'), [])
  t.strictSame(await found('q=%25'), [])
  for (const query of ['q=http', 'q=htt', 'forwarder=http']) t.strictSame(await found(query), ['ev_2', 'ev_1'], query)
  t.strictSame(await found('q=cust_x&forwarder=http'), ['ev_2'])
  t.match(await admin.get('/api/deliveries?forwarder=htpp'), { status: 404, body: { code: 'FORWARDER_UNKNOWN' } })
})
