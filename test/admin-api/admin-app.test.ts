import t, { type Test } from 'tap'
import { StoreError, type Operator } from '../../src/delivery/operator.js'
import { openOperator } from '../../src/composition/open-store.js'
import { makeStore } from '../journal/sqlite/stored.js'
import { buildAdmin, type AdminAnswer } from '../support/build-admin.js'
import { latch } from '../support/latch.js'
import { rawConnection } from '../support/raw-http.js'

const token = 'a-token-of-the-operators-tests'

function expectProblem (t: Test, answer: AdminAnswer, status: number, code: string): void {
  t.equal(answer.status, status, answer.text)
  t.match(answer.body, { status, code, type: `urn:tierhook:problem:${code.toLowerCase().replaceAll('_', '-')}` })
  t.equal(answer.headers['content-type'], 'application/problem+json')
}

t.test('if a token is set, requests without it get only files that contain no data', async t => {
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

t.test('a read token may read everything and change nothing, and an operate token may do both', async t => {
  const tokens = [{ name: 'prometheus', role: 'read' as const, token: 'the-reading-token' }, { name: 'anna', role: 'operate' as const, token: 'the-operating-token' }]
  const admin = await buildAdmin(t, { tokens, dataDir: makeStore(t).dataDir, resetDrift: () => 0, metrics: { contentType: 'text/plain', text: async () => 'up 1\n' } })
  const [read, operate] = tokens.map(({ token }) => ({ authorization: `Bearer ${token}` }))
  for (const headers of [read, operate]) {
    for (const path of ['/api/status', '/api/deliveries', '/metrics']) t.equal((await admin.get(path, { headers: headers ?? {} })).status, 200, path)
  }
  for (const path of ['/api/drift/reset', '/api/forwarders/x/pause', '/api/dead-letters/replay', '/nothing']) {
    const answer = await admin.post(path, { headers: read ?? {} })
    expectProblem(t, answer, 403, 'TOKEN_READS_ONLY')
    t.equal(answer.body['detail'], 'The token prometheus may only read: it changes nothing. Use ADMIN_TOKEN, or an operate token of ADMIN_TOKENS.')
  }
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) expectProblem(t, await admin.send(method, '/api/status', { headers: read ?? {} }), 403, 'TOKEN_READS_ONLY')
  t.equal((await admin.post('/api/drift/reset', { headers: operate ?? {} })).status, 200)
  t.match(admin.log.find('operator action'), [{ action: 'reset drift', token: 'anna', sourceAddress: '127.0.0.1' }])
  t.match(admin.log.find('operator\'s request refused')[0], { level: 40, code: 'TOKEN_READS_ONLY', status: 403, detail: /prometheus/ })
})

t.test('after some wrong tokens, more wrong ones from the same address are refused for a while, and a right one never', async t => {
  let now = 0
  const admin = await buildAdmin(t, { token, dataDir: makeStore(t).dataDir, monotonic: () => now, wrongTokens: { delaysMs: [1, 1, 1], forgiveMs: 10_000 } })
  const bearing = async (bearer: string) => await admin.get('/api/status', { headers: { authorization: `Bearer ${bearer}` } })
  for (const guess of ['guess-1', 'guess-2', 'guess-3']) expectProblem(t, await bearing(guess), 401, 'TOKEN_WRONG')
  let waitFor = 0
  for (const time of [0, 0, 9999]) {
    now = time
    const answer = await bearing('guess-4')
    expectProblem(t, answer, 429, 'TOKENS_TOO_MANY')
    t.notMatch(answer.text, token)
    waitFor = Number(answer.headers['retry-after'])
    t.equal(waitFor, 10)
    t.equal((await bearing(token)).status, 200, 'the right token is accepted')
    for (const headers of [{}, { authorization: `Basic ${token}` }]) expectProblem(t, await admin.get('/api/status', { headers }), 401, 'TOKEN_WRONG')
  }
  now += waitFor * 1000
  expectProblem(t, await bearing('guess-5'), 401, 'TOKEN_WRONG')
  expectProblem(t, await bearing('guess-6'), 429, 'TOKENS_TOO_MANY')
  now += 60_000
  for (const guess of ['guess-7', 'guess-8', 'guess-9']) expectProblem(t, await bearing(guess), 401, 'TOKEN_WRONG')
  t.equal(admin.log.find('operator\'s request refused').filter(({ code }) => code === 'TOKENS_TOO_MANY').length, 4)
})

t.test('the answer to a wrong token is delayed, and delays neither a right token nor the end of the service', async t => {
  const noted = latch()
  const monotonic = (): number => {
    noted.open()
    return 0
  }
  const admin = await buildAdmin(t, { token, dataDir: makeStore(t).dataDir, monotonic, wrongTokens: { delaysMs: [600_000] } })
  let heldBack = true
  const wrong = admin.get('/api/status', { headers: { authorization: 'Bearer guess-1' } }).then(({ status }) => status, () => 'cut off').finally(() => { heldBack = false })
  await noted.opened
  for (let count = 0; count < 10; count++) t.equal((await admin.get('/api/status', { headers: { authorization: `Bearer ${token}` } })).status, 200)
  t.ok(heldBack)
  await admin.close()
  t.ok(['cut off', 401].includes(await wrong))
})

t.test('without a token, a site whose name resolves to this machine is refused because of its name', async t => {
  const admin = await buildAdmin(t, { host: 'operator.local', dataDir: makeStore(t).dataDir })
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', '[::2]:3001', 'localhost:x', 'user@localhost']) {
    expectProblem(t, await admin.get('/docs/json', { headers: { host } }), 403, 'ORIGIN_NOT_ALLOWED')
  }
  for (const host of [`127.0.0.1:${admin.port}`, 'LOCALHOST', 'localhost:3001', '[::1]:3001', '127.9.9.9', 'Operator.local:80']) {
    t.equal((await admin.get('/api/status', { headers: { host } })).status, 200, host)
  }
  const raw = await rawConnection(t, admin.port)
  raw.write('GET /api/status HTTP/1.0\r\n\r\n')
  t.match(JSON.stringify(await raw.answers(1)), '403', 'a request without a Host header is refused')
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

t.test('a wrong request is answered with problem details, and no cache may keep an answer', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir })
  for (const path of ['?limit=0', '?limit=201', '?limit=1e1', '?limit=', '?limit=1&limit=2', '?unknown=1', '?verdict=good', '?status=earlier', '?cursor=x', '?cursor=!', '?since=yesterday', '?since=2026-13-01T00:00:00Z', '?since=2026-02-30T00:00:00Z', '?after=-1', '?customerId=']) {
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
  for (const headers of [{}, { 'content-type': 'application/json' }]) {
    const wrongMethod = await admin.send('DELETE', '/api/deliveries', { headers })
    expectProblem(t, wrongMethod, 405, 'METHOD_NOT_ALLOWED')
    t.equal(wrongMethod.headers['allow'], 'GET, HEAD')
  }
  expectProblem(t, await admin.post(`/api/forwarders/${'x'.repeat(300)}/pause`), 404, 'FORWARDER_UNKNOWN')
  expectProblem(t, await admin.get(`/api/deliveries/${'x'.repeat(10_000)}`), 404, 'DELIVERY_UNKNOWN')
  const answer = await admin.get('/api/deliveries')
  t.match(answer.headers, {
    'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'content-security-policy': /default-src 'none'/
  })
})

t.test('an unusable store is answered 503 with the reason, and an internal error 500 without it', async t => {
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

const noTries = { sources: [], unproven: { signedAt: null, refused: [], addresses: [] } }

t.test('metrics and reports are served if the service provides them', async t => {
  const admin = await buildAdmin(t, {
    dataDir: makeStore(t).dataDir,
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'up 1\n' },
    drift: () => ({ differences: [], dropped: 0 }),
    resetDrift: () => 7,
    retryBudget: async () => noTries
  })
  const metrics = await admin.get('/metrics')
  t.equal(metrics.text, 'up 1\n')
  t.match(metrics.headers['content-type'], 'text/plain; version=0.0.4')
  t.same((await admin.get('/api/drift')).body, { differences: [], dropped: 0 })
  t.same((await admin.post('/api/drift/reset')).body, { forgotten: 7 })
  expectProblem(t, await admin.get('/api/drift/reset'), 405, 'METHOD_NOT_ALLOWED')
  expectProblem(t, await admin.post('/api/drift/reset', { body: { all: true } }), 400, 'PARAMETERS_WRONG')
  t.same((await admin.get('/api/retry-budget')).body, noTries)
  t.equal((await admin.get('/api/missing-events')).status, 404)
  t.match((await admin.get('/api/status')).body, { version: '1.2.3', ready: true })
})

t.test('the API description is served as a file, with a text on how to read it, and without a viewer', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir })
  const hint = await admin.get('/docs')
  t.equal(hint.status, 200)
  t.match(hint.headers, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  t.match(hint.text, /\/docs\/json.*tierhook openapi/)
  t.same((await admin.get('/docs/json')).body, { openapi: '3.1.0' })
  t.equal((await admin.get('/docs/static/index.html')).status, 404)
})

t.test('after the API description failed once, the next request makes it again', async (t) => {
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

t.test('the operator\'s listener has the limits of the public one: for time, connections and ambiguous requests', async t => {
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
  t.strictSame(answers.map(({ status, headers }) => [status, headers.get('connection')]), [[401, 'close']], 'the connection closes after a refusal')
  const crowd = []
  for (let count = 0; count < 8; count++) crowd.push(await rawConnection(t, admin.port))
  await Promise.all(crowd.slice(0, 4).map(async (connection) => await connection.closed()))
  t.ok(admin.log.find('connection closed to make room for another').length >= 4)
})
