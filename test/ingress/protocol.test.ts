import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { sign } from '../../src/voucherify/signature.js'
import { buildApp } from '../support/build-app.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import { eventually } from '../support/eventually.js'
import { latch } from '../support/latch.js'
import { rawConnection, type RawAnswer } from '../support/raw-http.js'

const proven = await buildService(t, { ...signed, CUSTOM_WEBHOOKS: 'deep,a' })
const unproven = await buildService(t)

let count = 0
function freshBody (): string {
  return JSON.stringify(envelopeAround('some.event', {}, `protocol-${count++}`))
}

/** A header line with a well-formed signature. Without one, no body is read. */
const wrongSignature = `X-Voucherify-Signature: ${'0'.repeat(64)}\r\n`

/** A request with a correct signature. */
function signedRequest (body: string | Uint8Array, { target = '/webhooks', headers = [] }: { readonly target?: string, readonly headers?: readonly string[] } = {}): Buffer {
  const bytes = Buffer.from(body)
  const head = [
    `POST ${target} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', `Content-Length: ${bytes.length}`,
    `X-Voucherify-Signature: ${sign(bytes, SECRET)}`, ...headers, '', ''
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), bytes])
}

async function stillAnswers (t: Test): Promise<void> {
  const answer = await proven.post('/webhooks', freshBody())
  t.equal(answer.status, 202, 'the service still accepts webhooks')
}

function expectProblem (t: Test, answer: RawAnswer | undefined, status: number, code: string): void {
  t.equal(answer?.status, status)
  t.equal(answer?.headers.get('content-type'), 'application/problem+json')
  t.match(JSON.parse(answer?.body ?? '{}'), { status, code })
}

/** The first answer to bytes that are sent in one piece. Empty if the other side closes without one. */
async function exchange (t: Test, bytes: string | Uint8Array): Promise<readonly RawAnswer[]> {
  const connection = await rawConnection(t, proven.port)
  connection.write(bytes)
  const answers = await connection.answers(1).catch(async () => await connection.closed())
  connection.socket.destroy()
  return answers
}

t.test('a compressed body is refused without being decompressed', async t => {
  const bomb = gzipSync(Buffer.alloc(5_000_000, ' '))
  const [answer] = await exchange(t, signedRequest(bomb, { headers: ['Content-Encoding: gzip'] }))
  expectProblem(t, answer, 415, 'MEDIA_TYPE_UNSUPPORTED')
  const [claimed] = await exchange(t, signedRequest(bomb))
  t.equal(claimed?.status, 202, 'a signed body without Content-Encoding is stored as it came')
  t.match(JSON.parse(claimed?.body ?? ''), { verdict: 'invalid' })
  await stillAnswers(t)
})

t.test('a chunked body without a length is accepted, up to the limit', async t => {
  const body = freshBody()
  const head = `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nX-Voucherify-Signature: ${sign(Buffer.from(body), SECRET)}\r\n\r\n`
  const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join('')
  t.equal((await exchange(t, `${head}${chunks}0\r\n\r\n`))[0]?.status, 202)
  const tooLarge = await exchange(t, `${head}200000\r\n${'x'.repeat(0x200000)}\r\n0\r\n\r\n`)
  expectProblem(t, tooLarge[0], 413, 'BODY_TOO_LARGE')
  t.equal(tooLarge[0]?.headers.get('connection'), 'close', 'the connection is closed without waiting for the rest of the body')
  await stillAnswers(t)
})

t.test('too large and too many headers are answered 431', async t => {
  const large = await exchange(t, signedRequest('{}', { headers: [`X-Large: ${'x'.repeat(100_000)}`] }))
  expectProblem(t, large[0], 431, 'HEADERS_TOO_LARGE')
  const many = await exchange(t, signedRequest('{}', { headers: Array.from({ length: 100_000 }, (_, index) => `X-${index}: 1`) }))
  expectProblem(t, many[0], 431, 'HEADERS_TOO_LARGE')
  t.match(proven.log.find('request not understood').at(-1), { level: 40, code: 'HEADERS_TOO_LARGE', sourceAddress: '127.0.0.1' })
  await stillAnswers(t)
})

t.test('a request that does not arrive in time is answered 408, and its connection is closed', async t => {
  const app = await buildApp(t, { requestTimeoutMs: 300 })
  const pieces = { 'not a byte': '', 'half a request line': 'POST /web', 'half the headers': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nX-A:', 'half a body': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":' }
  await Promise.all(Object.entries(pieces).map(async ([name, piece]) => {
    const connection = await rawConnection(t, app.port)
    connection.write(piece)
    const [answer] = await connection.closed()
    t.match(answer, { status: 408 }, name)
    expectProblem(t, answer, 408, 'REQUEST_TIMEOUT')
  }))
  t.equal((await app.get('/health/live')).status, 200)
})

t.test('pipelined requests are answered in their order', async t => {
  const bodies = Array.from({ length: 9 }, freshBody)
  const connection = await rawConnection(t, proven.port)
  connection.write(Buffer.concat([...bodies.map((body) => signedRequest(body)), ...bodies.map((body) => signedRequest(body)), signedRequest('{}', { target: '/nowhere' })]))
  const answers = await connection.closed()
  t.strictSame(answers.map(({ status }) => status), [...bodies.map(() => 202), ...bodies.map(() => 200), 404])
  const ids = answers.map(({ body }) => JSON.parse(body).id)
  t.strictSame(ids.slice(9, 18), ids.slice(0, 9))
})

t.test('a refusal closes its connection after earlier answers were sent, and nothing sent behind it is read', async t => {
  const stored = latch()
  const asked: string[] = []
  const app = await buildApp(t, {
    append: async ({ id, verdict, eventId }) => {
      asked.push(String(eventId))
      await stored.opened
      return { status: 'stored', id, verdict }
    }
  })
  const post = (id: string): string => {
    const body = JSON.stringify(envelopeAround('some.event', {}, id))
    return `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  }
  const connection = await rawConnection(t, app.port)
  connection.write(`${post('first')}POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}${post('behind')}`)
  await eventually(() => app.log.find('webhook refused')[0], 'the refusal to be logged')
  connection.write(`${post('later')}rubbish\r\n\r\n`)
  stored.open()
  const answers = await connection.closed()
  t.strictSame(answers.map(({ status, headers }) => [status, headers.get('connection')]), [[202, 'keep-alive'], [404, 'close']])
  t.equal(asked.length, 1)
  t.strictSame(app.log.find('request not understood'), [])
  t.equal((await app.post('/webhooks', JSON.stringify(envelopeAround('some.event', {}, 'behind')))).status, 202)
})

t.test('a connection takes a limited number of requests, and of unanswered ones, and its last answer says that it closes', async t => {
  const app = await buildApp(t, { connections: { open: 10, requests: 5, unanswered: 3 } })
  const health = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'
  const pipelining = await rawConnection(t, app.port)
  pipelining.write(health.repeat(100))
  t.strictSame((await pipelining.closed()).map(({ status, headers }) => [status, headers.get('connection')]), [[200, 'keep-alive'], [200, 'keep-alive'], [200, 'close']])
  const patient = await rawConnection(t, app.port)
  for (let count = 1; count <= 5; count++) {
    patient.write(health)
    t.equal((await patient.answers(count))[count - 1]?.headers.get('connection'), count < 5 ? 'keep-alive' : 'close')
  }
  t.equal((await patient.closed()).length, 5)
})

t.test('a client that is still sending its body gets the refusal', async t => {
  const connection = await rawConnection(t, proven.port)
  const size = 50_000
  connection.write(`POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: br\r\nContent-Length: ${size}\r\n\r\n`)
  const [answer] = await connection.answers(1)
  t.match(answer, { status: 415 })
  let reset = false
  connection.socket.on('error', () => { reset = true })
  connection.write(Buffer.alloc(size))
  await connection.closed()
  t.notOk(reset, 'the connection is not reset while the body is sent')
})

t.test('invalid bytes behind a webhook do not overtake its answer', async t => {
  const stored = latch()
  const asked = latch()
  const app = await buildApp(t, {
    append: async ({ id, verdict }) => {
      asked.open()
      await stored.opened
      return { status: 'stored', id, verdict }
    }
  })
  const body = freshBody()
  const connection = await rawConnection(t, app.port)
  connection.write(`POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}rubbish\r\n\r\n`)
  await asked.opened
  connection.write('more rubbish')
  await eventually(() => app.log.find('request not understood')[0], 'the malformed bytes to be logged')
  stored.open()
  const answers = await connection.closed()
  t.strictSame(answers.map(({ status }) => status), [202, 400])
  t.equal(app.log.find('request not understood').length, 1, 'the malformed bytes are logged once')
})

t.test('a body that becomes invalid after its request was answered, or while it waits, gets no answer of its own', async t => {
  const app = await buildApp(t, { secrets: [SECRET] })
  const head = `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n${wrongSignature}`
  const refused = await rawConnection(t, app.port)
  refused.write(`${head}Content-Encoding: br\r\n\r\n`)
  await refused.answers(1)
  refused.write('rubbish\r\n')
  t.strictSame((await refused.closed()).map(({ status }) => status), [415])

  const waiting = await rawConnection(t, app.port)
  waiting.write(`${head}\r\nrubbish\r\n`)
  t.strictSame((await waiting.closed()).map(({ status }) => status), [400])
  t.equal((await app.get('/health/live')).status, 200)
})

t.test('bytes that are not an HTTP request are answered 400', async t => {
  const requests = {
    'no request line': 'rubbish\r\n\r\n',
    'a method that nobody knows': 'WEBHOOK /webhooks HTTP/1.1\r\nHost: x\r\n\r\n',
    'a TLS handshake': Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
    'a space in a header name': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nX A: 1\r\n\r\n',
    'a NUL in a header': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nX-A: \0\r\n\r\n',
    'a length that is none': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'two lengths': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    'a length and chunks': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a chunk without a size': `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n${wrongSignature}\r\nzz\r\n`,
    'chunks inside of another coding': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'two lines of codings': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunks in HTTP/1.0': 'POST /webhooks HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two hosts': 'POST /webhooks HTTP/1.1\r\nHost: x\r\nhost: y\r\nContent-Length: 0\r\n\r\n',
    'the same host twice': 'GET /nowhere HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n',
    'no host': 'POST /webhooks HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
    'a path that cannot be decoded': 'POST /webhooks/%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    'a path that is no UTF-8': 'POST /webhooks/custom/%ff HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
  }
  for (const [name, request] of Object.entries(requests)) {
    await t.test(name, async t => { expectProblem(t, (await exchange(t, request))[0], 400, 'BAD_REQUEST') })
  }
  await stillAnswers(t)
})

t.test('a wrong content length breaks nothing', async t => {
  const body = freshBody()
  const request = signedRequest(body).toString()
  const shorter = await exchange(t, request.replace(/Content-Length: \d+/, `Content-Length: ${body.length - 3}`))
  t.equal(shorter[0]?.status, 401, 'a body cut short by its Content-Length fails the signature check')
  const longer = await rawConnection(t, proven.port)
  longer.write(request.replace(/Content-Length: \d+/, `Content-Length: ${body.length + 3}`))
  longer.socket.end()
  t.notOk((await longer.closed()).some(({ status }) => status < 400 || status >= 500), 'a body shorter than its Content-Length is never accepted')
  t.equal((await proven.post('/webhooks', body)).status, 202, 'the incomplete body was not stored')
})

t.test('a client that aborts in the middle of its body leaves nothing open', async t => {
  const service = await buildService(t, signed)
  const body = freshBody()
  const request = signedRequest(body)
  for (const how of ['destroy', 'resetAndDestroy'] as const) {
    const connection = await rawConnection(t, service.port)
    const before = service.log.find('webhook refused').length
    connection.write(request.subarray(0, request.length - 5))
    // The answer to a second request shows that the first has arrived so far.
    t.equal((await service.post('/webhooks', freshBody())).status, 202)
    connection.socket[how]()
    await eventually(() => service.log.find('webhook refused')[before], 'the abort to be logged')
    t.match(service.log.find('webhook refused').at(-1), { status: 400, code: 'BAD_REQUEST' })
  }
  t.equal((await service.post('/webhooks', body)).status, 202, 'the aborted body was not stored, so it is no duplicate')
})

t.test('a client that expects a 100 gets it; another expectation is ignored', async t => {
  const [continued] = await exchange(t, signedRequest(freshBody(), { headers: ['Expect: 100-continue'] }))
  t.equal(continued?.status, 202)
  const [ignored] = await exchange(t, signedRequest(freshBody(), { headers: ['Expect: miracles'] }))
  t.equal(ignored?.status, 202)
})

t.test('unsupported methods are refused, with and without a body', async t => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'MKCOL', 'QUERY', 'REPORT']) {
    const [answer] = await exchange(t, `${method} /webhooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    // An answer to HEAD has a length and no body, so here it counts as incomplete.
    if (method !== 'HEAD') t.equal(answer?.status, 405, method)
    if (['GET', 'HEAD', 'TRACE'].includes(method)) continue
    const [withBody] = await exchange(t, signedRequest('<a/>', { headers: ['Connection: close'] }).toString().replace('POST', method).replace('application/json', 'text/xml'))
    t.equal(withBody?.status, 405, `${method} with a body`)
  }
  const [connect] = await exchange(t, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n')
  t.equal(connect, undefined, 'CONNECT gets no answer, only a closed connection')
  const [star] = await exchange(t, 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.equal(star?.status, 404)
  const [upgrade] = await exchange(t, signedRequest(freshBody(), { headers: ['Connection: Upgrade', 'Upgrade: websocket'] }))
  t.equal(upgrade?.status, 202, 'the upgrade is ignored and the request is accepted')
  t.equal(upgrade?.headers.get('connection'), 'close')
  await stillAnswers(t)
})

t.test('a request for an upgrade ends its connection, because Node.js drops later bytes without an answer', async t => {
  const first = freshBody()
  const connection = await rawConnection(t, proven.port)
  const behind = signedRequest(freshBody())
  connection.write(Buffer.concat([signedRequest(first, { headers: ['Connection: Upgrade', 'Upgrade: h2c'] }), behind.subarray(0, 40)]))
  t.strictSame((await connection.closed()).map(({ status }) => status), [202])
  t.equal((await proven.post('/webhooks', first)).status, 200, 'the request with the upgrade was accepted as usual')
})

t.test('a client that half-closes its connection after its requests gets its answers, although Node.js would close it', async t => {
  const connection = await rawConnection(t, proven.port)
  connection.socket.end(Buffer.concat([signedRequest(freshBody()), signedRequest(freshBody()), signedRequest('{}', { target: '/nowhere' })]))
  t.strictSame((await connection.closed()).map(({ status }) => status), [202, 202, 404])
})

t.test('a stop answers requests under way on open connections, and marks each answer as the last', async t => {
  const stopped = await buildService(t, signed)
  const connections = await Promise.all(Array.from({ length: 20 }, async () => await rawConnection(t, stopped.port)))
  for (const { write } of connections) write(signedRequest(freshBody()))
  await Promise.all(connections.map(async ({ answers }) => await answers(1)))
  const [idle, ...busy] = connections
  for (const { write } of busy) write(signedRequest(freshBody()))
  // The server has read none of these bytes yet.
  const stopping = stopped.close()
  for (const { closed } of busy) {
    t.match(await closed(), [{ status: 202 }, { status: 202 }])
    t.equal((await closed()).at(1)?.headers.get('connection'), 'close')
  }
  const [refusal] = await once(connect({ port: stopped.port, host: '127.0.0.1' }), 'error')
  t.match(refusal, { code: 'ECONNREFUSED' }, 'a stopping service accepts no new connection')
  await stopping
  t.equal((await idle?.closed())?.length, 1)
})

t.test('a path of another method is answered 405 and not 404, however it is written', async t => {
  for (const target of ['/%77ebhooks', '/webhooks#x', 'http://x/webhooks', 'HTTPS://x/WEBHOOKS/?x=/', '/webhooks/custom/%61']) {
    const [answer] = await exchange(t, `PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
    expectProblem(t, answer, 405, 'METHOD_NOT_ALLOWED')
  }
})

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
const inEnvelope = (data: string, id: string) => `{"data":${data},"event":{"type":"some.event","id":"${id}"},"source":{"id":"wh_odd"}}`
const odd: Readonly<Record<string, { readonly body: string | Buffer, readonly unsigned: number, readonly verdict: string }>> = {
  'invalid UTF-8': { body: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xC3, 0x28]), Buffer.from('"}')]), unsigned: 400, verdict: 'invalid' },
  'UTF-16': { body: Buffer.from('{"a":1}', 'utf16le'), unsigned: 400, verdict: 'invalid' },
  'a byte order mark': { body: `\uFEFF${inEnvelope('{}', 'bom')}`, unsigned: 202, verdict: 'unvalidated' },
  'NUL bytes': { body: '\0\0\0', unsigned: 400, verdict: 'invalid' },
  'an escaped NUL': { body: inEnvelope('{"a":"\\u0000"}', 'nul'), unsigned: 202, verdict: 'unvalidated' },
  'half a surrogate pair': { body: inEnvelope('{"a":"\\ud83d"}', 'half'), unsigned: 202, verdict: 'unvalidated' },
  'a __proto__ key': { body: inEnvelope('{"__proto__":{"admin":true}}', 'proto'), unsigned: 400, verdict: 'unvalidated' },
  'a __proto__ key in escapes': { body: inEnvelope('[{"\\u005f_proto\\u005F_":1}]', 'escaped proto'), unsigned: 400, verdict: 'unvalidated' },
  '__proto__ as a value': { body: inEnvelope('{"a":"__proto__"}', 'proto value'), unsigned: 202, verdict: 'unvalidated' },
  '__proto__ alone': { body: '"__proto__"', unsigned: 422, verdict: 'invalid' },
  'ten thousand levels': { body: inEnvelope(deep(10_000), 'deep'), unsigned: 202, verdict: 'unvalidated' },
  'ten thousand levels in a known event': { body: `{"customer":${deep(10_000)},"campaign":null,"loyalty_tier":null,"created_at":"2026-02-03T04:05:06Z"}`, unsigned: 422, verdict: 'unvalidated' },
  'ten thousand open brackets': { body: '['.repeat(10_000), unsigned: 400, verdict: 'invalid' },
  'numbers beyond all bounds': { body: inEnvelope('{"a":1e999,"b":-1e999}', 'numbers'), unsigned: 202, verdict: 'unvalidated' }
}

t.test('bodies that break parsers are refused or quarantined, and break nothing', async t => {
  for (const [name, { body, unsigned, verdict }] of Object.entries(odd)) {
    const path = name.includes('known event') ? '/webhooks/custom/deep' : '/webhooks'
    const accepted = await proven.post(path, body)
    t.match(accepted, { status: 202, body: { verdict } }, `${name}, signed`)
    if (verdict === 'unvalidated') await proven.forwarded.find(({ deliveryId }) => deliveryId === accepted.body.id)
    const answer = await unproven.post('/webhooks', body)
    t.equal(answer.status, unsigned, `${name}, unsigned`)
  }
  t.notOk('admin' in {})
})

t.test('none of these requests caused an internal error', async t => {
  for (const { log } of [proven, unproven]) {
    t.strictSame(log.lines.filter((line) => Number(line['level']) >= 50), [])
  }
})
