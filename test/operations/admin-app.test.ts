import t, { type Test } from 'tap'
import { StoreError, type Operator } from '../../src/delivery/operator.js'
import { openOperator } from '../../src/open-store.js'
import { makeStore } from '../journal/sqlite/stored.js'
import { buildAdmin, type AdminAnswer } from '../support/build-admin.js'
import { rawConnection } from '../support/raw-http.js'

const token = 'a-token-of-the-operators-tests'

function expectProblem (t: Test, answer: AdminAnswer, status: number, code: string): void {
  t.equal(answer.status, status, answer.text)
  t.match(answer.body, { status, code, type: `urn:tierhook:problem:${code.toLowerCase().replaceAll('_', '-')}` })
  t.equal(answer.headers['content-type'], 'application/problem+json')
}

t.test('with a token nothing but what is nobody\'s is answered to whoever does not bear it', async t => {
  const admin = await buildAdmin(t, { token, dataDir: makeStore(t).dataDir, addPage: app => { app.get('/', { config: { open: true } }, async () => 'the page') } })
  for (const authorization of [undefined, '', token, `Basic ${token}`, 'Bearer', 'Bearer wrong', `Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Bearer x ${token}`]) {
    const answer = await admin.get('/api/status', { headers: authorization === undefined ? {} : { authorization } })
    expectProblem(t, answer, 401, 'TOKEN_WRONG')
    t.match(answer.headers['www-authenticate'], /^Bearer/)
    t.notMatch(answer.text, token)
  }
  expectProblem(t, await admin.post('/api/forwarders/x/pause'), 401, 'TOKEN_WRONG')
  expectProblem(t, await admin.get('/nothing'), 401, 'TOKEN_WRONG')
  for (const path of ['/', '/docs/json', '/docs']) t.equal((await admin.get(path)).status, 200, path)
  for (const authorization of [`Bearer ${token}`, `bearer  ${token}`]) {
    t.equal((await admin.get('/api/status', { headers: { authorization, host: 'tierhook.internal' } })).status, 200)
  }
})

t.test('without a token a site that took this machine\'s address is refused by its name', async t => {
  const admin = await buildAdmin(t, { host: 'operator.local', dataDir: makeStore(t).dataDir })
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', '[::2]:3001', 'localhost:x', 'user@localhost']) {
    expectProblem(t, await admin.get('/docs/json', { headers: { host } }), 403, 'ORIGIN_NOT_ALLOWED')
  }
  for (const host of [`127.0.0.1:${admin.port}`, 'LOCALHOST', 'localhost:3001', '[::1]:3001', '127.9.9.9', 'Operator.local:80']) {
    t.equal((await admin.get('/api/status', { headers: { host } })).status, 200, host)
  }
  const raw = await rawConnection(t, admin.port)
  raw.write('GET /api/status HTTP/1.0\r\n\r\n')
  t.match(JSON.stringify(await raw.answers(1)), '403', 'no name at all')
})

t.test('a page of another site can change nothing', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json']) {
    expectProblem(t, await admin.send('POST', '/api/forwarders/x/pause', { headers: { 'content-type': type }, body: '{}' }), 415, 'MEDIA_TYPE_UNSUPPORTED')
  }
  expectProblem(t, await admin.send('POST', '/api/forwarders/x/pause'), 415, 'MEDIA_TYPE_UNSUPPORTED')
  for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${admin.port + 1}`, 'http://localhost']) {
    expectProblem(t, await admin.post('/api/forwarders/x/pause', { headers: { origin } }), 403, 'ORIGIN_NOT_ALLOWED')
  }
  for (const headers of [{ origin: admin.url }, {}]) expectProblem(t, await admin.post('/api/forwarders/x/pause', { headers }), 404, 'FORWARDER_UNKNOWN')
  t.equal((await admin.send('OPTIONS', '/api/forwarders/x/pause', { headers: { origin: 'https://evil.example' } })).headers['access-control-allow-origin'], undefined)
})

t.test('what is asked for wrongly is told in our form, and nothing is kept by anybody', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir })
  for (const path of ['?limit=0', '?limit=201', '?limit=1e1', '?limit=', '?limit=1&limit=2', '?unknown=1', '?verdict=good', '?standing=earlier', '?cursor=x', '?cursor=!', '?since=yesterday', '?since=2026-13-01T00:00:00Z', '?since=2026-02-30T00:00:00Z', '?after=-1', '?customerId=']) {
    const answer = await admin.get(`/api/deliveries${path}`)
    expectProblem(t, answer, 400, 'PARAMETERS_WRONG')
    t.match(answer.body, { errors: [{ pointer: /^\/[a-z]+/i }] }, path)
  }
  for (const body of [{}, { ids: [] }, { ids: ['a'], force: 1 }, { ids: 'a' }, { ids: ['a'], more: 1 }, []]) {
    expectProblem(t, await admin.post('/api/quarantine/release', { body }), 400, 'PARAMETERS_WRONG')
  }
  expectProblem(t, await admin.post('/api/quarantine/release', { body: '{' }), 400, 'BODY_NOT_JSON')
  expectProblem(t, await admin.post('/api/quarantine/release', { body: { ids: ['x'.repeat(70_000)] } }), 413, 'BODY_TOO_LARGE')
  expectProblem(t, await admin.get('/nothing'), 404, 'NOT_FOUND')
  expectProblem(t, await admin.get('/api/%ff'), 400, 'BAD_REQUEST')
  const wrongMethod = await admin.send('DELETE', '/api/deliveries', { headers: { 'content-type': 'application/json' } })
  expectProblem(t, wrongMethod, 405, 'METHOD_NOT_ALLOWED')
  t.equal(wrongMethod.headers['allow'], 'GET, HEAD')
  const answer = await admin.get('/api/deliveries')
  t.match(answer.headers, {
    'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'content-security-policy': /default-src 'none'/
  })
})

t.test('a store that cannot be used is a 503 that says why, and what goes wrong here a 500 that does not', async t => {
  const operator: Operator = {
    ...openOperator({ dataDir: makeStore(t).dataDir }),
    page: async () => { throw new StoreError('STORE_DAMAGED', 'The database is damaged: "tierhook verify" tells more') },
    forwarders: async () => { throw new Error('secret detail') }
  }
  const admin = await buildAdmin(t, { operator })
  const answer = await admin.get('/api/deliveries')
  expectProblem(t, answer, 503, 'STORE_UNAVAILABLE')
  t.match(answer.body, { detail: /tierhook verify/ })
  const failed = await admin.get('/api/forwarders')
  expectProblem(t, failed, 500, 'INTERNAL')
  t.notMatch(failed.text, 'secret detail')
  t.equal(admin.log.find('operator\'s request failed').length, 1)
})

t.test('metrics and reports are there where somebody makes them', async t => {
  const admin = await buildAdmin(t, {
    dataDir: makeStore(t).dataDir,
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'up 1\n' },
    drift: () => ({ differences: [], dropped: 0 }),
    patience: async () => ({ sources: [] })
  })
  const metrics = await admin.get('/metrics')
  t.equal(metrics.text, 'up 1\n')
  t.match(metrics.headers['content-type'], 'text/plain; version=0.0.4')
  t.same((await admin.get('/api/drift')).body, { differences: [], dropped: 0 })
  t.same((await admin.get('/api/patience')).body, { sources: [] })
  t.equal((await admin.get('/api/silence')).status, 404)
  t.match((await admin.get('/api/status')).body, { version: '1.2.3', ready: true })
})

t.test('the description\'s page is served with what it needs, and lets nothing else in', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir })
  for (const path of ['/docs', '/docs/']) {
    const page = await admin.get(path)
    t.equal(page.status, 200)
    t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'/)
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => new URL(link ?? '', `${admin.url}${path}`))
    t.ok(parts.length > 3)
    for (const { origin, pathname } of parts) {
      t.equal(origin, admin.url)
      t.equal((await admin.get(pathname)).status, 200, pathname)
    }
  }
  t.same((await admin.get('/docs/json')).body, { openapi: '3.1.0' })
  t.equal((await admin.get('/docs/static/nothing.js')).status, 404)
})

t.test('a description that failed once is made again the next time', async (t) => {
  let asked = 0
  const admin = await buildAdmin(t, {
    dataDir: makeStore(t).dataDir,
    describe: async () => {
      if (asked++ === 0) throw new Error('not now')
      return { openapi: '3.1.0' }
    }
  })
  t.equal((await admin.get('/docs/json')).status, 500)
  t.match(await admin.get('/docs/json'), { status: 200, body: { openapi: '3.1.0' } })
})

t.test('the operator\'s listener has the public one\'s limits: of time, of connections, of what can be read in two ways', async t => {
  const admin = await buildAdmin(t, { token, dataDir: makeStore(t).dataDir, requestTimeoutMs: 300, connections: { open: 4, requests: 100, unanswered: 3 } })
  const slow = await rawConnection(t, admin.port)
  slow.write('POST /api/quarantine/release HTTP/1.1\r\nHost: x\r\nX-A:')
  t.match(await slow.closed(), [{ status: 408 }])
  const requests = {
    'two hosts': 'GET /api/status HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
    'chunks inside of another coding': 'POST /api/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'no host': 'GET /docs HTTP/1.1\r\n\r\n'
  }
  for (const [name, request] of Object.entries(requests)) {
    const connection = await rawConnection(t, admin.port)
    connection.write(request)
    t.match(await connection.closed(), [{ status: 400 }], name)
  }
  const many = await rawConnection(t, admin.port)
  many.write('GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50))
  const answers = await many.closed()
  t.strictSame(answers.map(({ status, headers }) => [status, headers.get('connection')]), [[401, 'close']], 'a refusal is the last answer')
  const crowd = []
  for (let count = 0; count < 8; count++) crowd.push(await rawConnection(t, admin.port))
  await Promise.all(crowd.slice(0, 4).map(async (connection) => await connection.closed()))
  t.ok(admin.log.find('connection closed to make room for another').length >= 4)
})
