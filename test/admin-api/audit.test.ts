import t from 'tap'
import type { RunningForwarder } from '../../src/admin-api/api-forwarders.js'
import type { RecordedAction } from '../../src/admin-api/operator-action.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { buildAdmin } from '../support/build-admin.js'
import type { LogLine } from '../support/capture-log.js'

const running: RunningForwarder = {
  name: 'http', type: 'http', destination: 'https://shop.example/…', breakerState: () => 'closed', isPaused: () => false, pause: () => {}, resume: () => {}
}

/** The fields of a line about the action itself. */
function told ({ level: _level, time: _time, msg: _msg, reqId: _reqId, ...rest }: LogLine): unknown {
  return rest
}

t.test('each action of an operator, and each reading of a body, is logged with the operator\'s name and is on the list', async t => {
  const store = makeStore(t)
  const [one, other, gone] = [newDelivery(), newDelivery(), newDelivery()]
  const [quarantined, unwanted] = [quarantinedDelivery(), quarantinedDelivery()]
  store.append(one, other, gone, quarantined, unwanted)
  const http = store.feed('http')
  await settleAll(http, ({ delivery }) => [other.id, gone.id].includes(delivery.id) ? dead() : forwarded())
  const token = 'a-token-of-the-audits-tests'
  const at = Date.parse('2026-03-05T10:00:00Z')
  const listed: RecordedAction[] = []
  const admin = await buildAdmin(t, { token, dataDir: store.dataDir, trustProxy: ['loopback'], now: () => at, onAction: (action) => { listed.push(action) }, forwarders: () => [running], resetDrift: () => 3 })
  const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': '192.0.2.7' }
  const steps: ReadonlyArray<readonly [method: 'get' | 'post', path: string, body: object | undefined, told: object]> = [
    ['get', `/api/deliveries/${one.id.slice(0, -1)}`, undefined, { action: 'read', deliveryIds: [one.id], count: 1 }],
    ['post', `/api/deliveries/${one.id}/replay`, { forwarders: ['http'] }, { action: 'replay', deliveryIds: [one.id], forwarders: ['http'], force: false, count: 1 }],
    ['post', `/api/deliveries/${quarantined.id}/replay`, {}, { action: 'replay', deliveryIds: [], forwarders: ['http'], force: false, count: 0 }],
    ['post', '/api/quarantine/release', { ids: [quarantined.id], force: true }, { action: 'release', from: 'quarantine', deliveryIds: [quarantined.id], force: true, count: 1 }],
    ['post', '/api/quarantine/discard', { ids: [unwanted.id, one.id] }, { action: 'discard', from: 'quarantine', deliveryIds: [unwanted.id], count: 1 }],
    ['post', '/api/dead-letters/replay', { forwarder: 'http', ids: [other.id, one.id] }, { action: 'replay', from: 'dead letters', deliveryIds: [other.id], forwarders: ['http'], force: false, count: 1 }],
    ['post', '/api/dead-letters/discard', { forwarder: 'http', ids: [gone.id] }, { action: 'discard', from: 'dead letters', deliveryIds: [gone.id], forwarders: ['http'], count: 1 }],
    ['post', '/api/forwarders/http/pause', {}, { action: 'pause', forwarders: ['http'] }],
    ['post', '/api/forwarders/http/resume', {}, { action: 'resume', forwarders: ['http'] }],
    ['post', '/api/drift/reset', {}, { action: 'reset drift' }]
  ]
  const who = { via: 'listener', sourceAddress: '192.0.2.7', token: 'admin' }
  for (const [method, path, body, action] of steps) {
    const before = admin.log.find('operator action').length
    t.equal((await admin[method](path, { headers, body })).status, 200, path)
    const lines = admin.log.find('operator action').slice(before)
    t.same(lines.map(told), [{ ...who, ...action }], path)
    t.equal(lines[0]?.['level'], 30)
    t.same(listed.slice(before), [{ at: new Date(at).toISOString(), ...who, ...action }], path)
  }
  const text = JSON.stringify(admin.log.lines)
  t.notMatch(text, token, 'no log line holds the token')
  t.notMatch(text, 'loyalty_tier', 'no log line holds the body')
})

t.test('requests that show no body, and refused requests, leave no line of an action', async t => {
  const store = makeStore(t)
  const one = newDelivery()
  store.append(one)
  store.feed('http')
  const admin = await buildAdmin(t, { dataDir: store.dataDir })
  for (const path of ['/api/deliveries', '/api/quarantine', '/api/dead-letters', '/api/forwarders', '/api/status']) t.equal((await admin.get(path)).status, 200)
  t.match((await admin.get(`/api/deliveries/${one.id}?body=false`)).body, { id: one.id, body: null, bodyBase64: null, headers: one.headers })
  t.equal((await admin.send('HEAD', `/api/deliveries/${one.id}`)).status, 200)
  t.equal((await admin.get(`/api/deliveries/${one.id}?body=no`)).status, 400)
  t.equal((await admin.get('/api/deliveries/ffff')).status, 404)
  t.equal((await admin.post(`/api/deliveries/${one.id}/replay`, { body: { forwarders: ['nobody'] } })).status, 404)
  t.equal((await admin.post('/api/forwarders/http/pause')).status, 404)
  t.strictSame(admin.log.find('operator action'), [])
  t.match((await admin.get(`/api/deliveries/${one.id}?body=true`)).body, { body: Buffer.from(one.rawBody).toString() })
  t.match(admin.log.find('operator action'), [{ action: 'read', token: null, sourceAddress: '127.0.0.1' }], 'no token name is recorded if no token is required')
})
