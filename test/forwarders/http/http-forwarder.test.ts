import { createHash, randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { isReservedHeader } from '../../../src/forwarders/http/own-headers.js'
import { attempt, attemptAt, forwarderTo } from './support/forwarder.js'
import { httpDestination } from './support/servers.js'

const secret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/** The headers in the form that the library expects. */
function flat (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

t.test('the request names its event, its attempt and its origin', async (t) => {
  const destination = await httpDestination(t)
  const forwarder = forwarderTo(t, `${destination.url}hooks/voucherify?key=1`, {
    headers: [{ name: 'authorization', value: 'Bearer token' }, { name: 'X-Team', value: 'loyalty, north' }]
  })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const given = attemptAt({
    verdict: 'unvalidated',
    eventType: 'custom.points',
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-voucherify-signature': 'ab'.repeat(32), traceparent, tracestate: 'a=1', 'user-agent': 'sender' }
  }, { number: 3, replay: true })
  const before = Math.floor(Date.now() / 1000)
  t.match(await attempt(forwarder, given), { status: 'forwarded' })
  const [request] = destination.received
  t.equal(request?.path, '/hooks/voucherify?key=1')
  t.strictSame(request?.headers, {
    host: `127.0.0.1:${destination.port}`,
    connection: 'keep-alive',
    authorization: 'Bearer token',
    'x-team': 'loyalty, north',
    'user-agent': 'tierhook/1.2.3',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(given.delivery.rawBody.byteLength),
    'x-voucherify-signature': 'ab'.repeat(32),
    'webhook-id': given.delivery.id,
    'webhook-timestamp': request?.headers['webhook-timestamp'],
    'tierhook-event-type': 'custom.points',
    'tierhook-verdict': 'unvalidated',
    'tierhook-attempt': '3',
    'tierhook-replay': 'true',
    traceparent,
    tracestate: 'a=1'
  })
  const timestamp = Number(request?.headers['webhook-timestamp'])
  t.ok(timestamp >= before && timestamp <= Date.now() / 1000)
})

t.test('absent values send no headers', async (t) => {
  const destination = await httpDestination(t)
  await attempt(forwarderTo(t, destination.url), attemptAt({ headers: { traceparent: '00-nonsense', tracestate: 'a=1' }, eventType: 'größer als' }))
  const headers = destination.received[0]?.headers ?? {}
  for (const name of ['webhook-signature', 'tierhook-replay', 'traceparent', 'tracestate', 'x-voucherify-signature', 'authorization']) t.notOk(name in headers, name)
  t.equal(headers['content-type'], 'application/json')
  t.equal(headers['tierhook-event-type'], 'gr%C3%B6%C3%9Fer%20als')
})

t.test('the destination gets exactly the bytes that were received', async (t) => {
  const destination = await httpDestination(t)
  const forwarder = forwarderTo(t, destination.url)
  const bodies = [
    Buffer.from('{ "a" : 1.0,\r\n\t"b": 9007199254740993 , "a": 1e2, "10": -0, "9": "\\u00e9\\/é" }\n'),
    Buffer.from([0xEF, 0xBB, 0xBF, 0x7B, 0x7D]),
    Buffer.from([0xFF, 0x00, 0x0A]),
    Buffer.from('not JSON'),
    Buffer.alloc(0),
    Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(1_000_000, 0x61), Buffer.from('"}')]),
    // A view into a larger buffer.
    new Uint8Array(Buffer.from('xx{"a":1}xx')).subarray(2, 9)
  ]
  for (const rawBody of bodies) t.match(await attempt(forwarder, attemptAt({ rawBody })), { status: 'forwarded' })
  t.strictSame(destination.received.map(({ body }) => createHash('sha256').update(body).digest('hex')), bodies.map((body) => createHash('sha256').update(body).digest('hex')))
})

t.test('a receiver of Standard Webhooks accepts a signed request, with the old and the new secret, and refuses an altered one', async (t) => {
  const destination = await httpDestination(t)
  const [before, after, another] = [secret(), secret(), secret()]
  for (const format of ['voucherify', 'cloudevents-structured', 'cloudevents-binary'] as const) {
    await attempt(forwarderTo(t, destination.url, { format, secrets: [before, after] }))
    const request = destination.received.at(-1)
    const headers = flat(request?.headers ?? {})
    const body = request?.body ?? Buffer.alloc(0)
    for (const known of [before, after]) t.ok(new Webhook(known).verify(body, headers))
    t.throws(() => new Webhook(another).verify(body, headers), /No matching signature/)
    const altered = Buffer.from(body)
    altered[altered.length - 2] = (altered[altered.length - 2] ?? 0) ^ 1
    t.throws(() => new Webhook(after).verify(altered, headers), /No matching signature/)
    t.throws(() => new Webhook(after).verify(body, { ...headers, 'webhook-id': 'another' }), /No matching signature/)
    t.throws(() => new Webhook(after).verify(body, { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1) }), /No matching signature/)
  }
})

t.test('each attempt has its own time and signature, and the same id', async (t) => {
  let now = Date.parse('2026-01-31T00:00:00Z')
  const destination = await httpDestination(t, (_request, response) => { response.writeHead(500).end() })
  const forwarder = forwarderTo(t, destination.url, { secrets: [secret()], now: () => now })
  const given = attemptAt()
  for (const number of [1, 2]) {
    await attempt(forwarder, { ...given, number })
    now += 60_999
  }
  const [first, second] = destination.received.map(({ headers }) => headers)
  t.equal(first?.['webhook-id'], second?.['webhook-id'])
  t.equal(first?.['webhook-timestamp'], '1769817600')
  t.equal(second?.['webhook-timestamp'], '1769817660')
  t.not(first?.['webhook-signature'], second?.['webhook-signature'])
})

t.test('a header that the forwarder sends itself cannot be configured: the start fails', async (t) => {
  const destination = await httpDestination(t)
  const forwarder = forwarderTo(t, destination.url, { secrets: [secret()], format: 'cloudevents-binary' })
  const headers = { 'content-type': 'a/b', 'x-voucherify-signature': 'ab', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' }
  await attempt(forwarder, attemptAt({ headers }, { replay: true }))
  const sent = Object.keys(destination.received[0]?.headers ?? {})
  t.ok(sent.length > 15)
  for (const name of [...sent, 'x-voucherify-signature', 'Webhook-Id', 'TRANSFER-ENCODING', 'proxy-authorization']) {
    t.ok(isReservedHeader(name), name)
    t.throws(() => forwarderTo(t, destination.url, { headers: [{ name, value: 'hunter2' }] }), { name: 'TypeError', message: `The header ${name} is the http forwarder's own and cannot be set` })
  }
  for (const name of ['authorization', 'x-api-key', 'accept', 'webhook', 'cookie']) t.notOk(isReservedHeader(name), name)
})

t.test('an invalid secret stops the start and is not shown', async (t) => {
  const twenty = randomBytes(20).toString('base64')
  for (const wrong of ['', 'hunter2', 'whsec_', 'whsec_hunter2', `whsec_${twenty}`, randomBytes(32).toString('base64'), `${secret()}!`, `whsec_${randomBytes(65).toString('base64')}`]) {
    t.throws(() => forwarderTo(t, 'http://127.0.0.1/', { secrets: [secret(), wrong] }), { name: 'TypeError', message: 'A signing secret must be whsec_ and the base64 of 24 to 64 bytes' })
  }
})

t.test('an answer is kept with limited length, printable, on one line, and without the sent secrets', async (t) => {
  const token = 'Bearer s3cr3t-token-of-theirs'
  const answers: ReadonlyArray<readonly [Buffer, string]> = [
    [Buffer.from(`{"you": "${token}",\n\t"said": "s3cr3t-token-of-theirs"}`), '{"you": "[hidden]", "said": "[hidden]"}'],
    [Buffer.from([0x61, 0x00, 0x1B, 0x5B, 0x33, 0x31, 0x6D, 0xFF, 0xFE, 0x62]), 'a\uFFFD[31m\uFFFDb'],
    [Buffer.from('a\u202Eb\u2066c'), 'a\uFFFDb\uFFFDc'],
    [Buffer.from('🎉'.repeat(1000)), `${'🎉'.repeat(256)}…`],
    [Buffer.from('x'.repeat(4096)), `${'x'.repeat(256)}…`],
    [Buffer.from('x'.repeat(4097)), `${'x'.repeat(256)}…`]
  ]
  let answer: Buffer = Buffer.alloc(0)
  const destination = await httpDestination(t, (_request, response) => { response.writeHead(500).end(answer) })
  const forwarder = forwarderTo(t, destination.url, { headers: [{ name: 'authorization', value: token }] })
  for (const [body, kept] of answers) {
    answer = body
    t.strictSame(await attempt(forwarder), { status: 'retry', reason: 'status 500', answer: kept })
  }
})

t.test('the forwarder states its order, concurrency and time limit', async (t) => {
  const forwarder = forwarderTo(t, 'http://127.0.0.1/', { name: 'backend', order: 'none', concurrency: 7, timeoutMs: 2000 })
  t.match(forwarder, { name: 'backend', order: 'none', concurrency: 7, batchSize: 1, timeoutMs: 3000, recordsSuccess: true })
})
