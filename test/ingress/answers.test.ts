import { Value } from '@sinclair/typebox/value'
import t, { type Test } from 'tap'
import { Problem, type ProblemCode } from '../../src/errors/problem.js'
import { ProblemSchema } from '../../src/http/problem-answer.js'
import { AcceptedSchema } from '../../src/ingress/webhook-schema.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { buildApp } from '../support/build-app.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import type { Answered, WebhookOptions } from '../support/post-webhook.js'

/** A text in every request body and header, which no answer may contain. */
const CANARY = 'canary-5aa1e0'
const JOINED = 'customer.loyalty.tier.joined'
const now = new Date()

function sample (index: number) {
  const envelope = sampleEnvelope(JOINED, { index, now, seed: CANARY })
  return { ...envelope, data: { ...envelope.data, note: CANARY } }
}

function expectProblem (t: Test, answer: Answered, status: number, code: ProblemCode): void {
  t.equal(answer.status, status, `${code} is ${status}`)
  t.equal(answer.headers['content-type'], 'application/problem+json')
  t.match(answer.body, { status, code, type: `urn:tierhook:problem:${code.toLowerCase().replaceAll('_', '-')}` })
  t.ok(Value.Check(ProblemSchema, answer.body), 'the body is a problem document without other keys')
  t.equal('errors' in answer.body, status === 422, 'only a 422 has errors')
  expectDiscretion(t, answer)
}

function expectDiscretion (t: Test, answer: Answered): void {
  const all = `${JSON.stringify(answer.headers)} ${answer.text}`
  t.notMatch(all, CANARY, 'the answer does not repeat the input')
  t.notMatch(all, SECRET, 'the answer holds no secret')
  t.notMatch(all, /\bat .*\.(?:ts|js):\d|node_modules|Error:/, 'the answer holds no stack trace')
}

const headers = { 'user-agent': CANARY, 'x-canary': CANARY }

t.test('an accepted webhook is answered 202 with its id and verdict', async t => {
  for (const environment of [signed, {}]) {
    const service = await buildService(t, environment)
    const answer = await service.post('/webhooks', sample(0), { headers })
    t.equal(answer.status, 202)
    t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    t.match(answer.body, { message: 'Webhook accepted', id: /^[0-9a-f-]{36}$/, verdict: 'valid' })
    t.strictSame(Object.keys(answer.body), ['message', 'id', 'verdict'])
    t.ok(Value.Check(AcceptedSchema, answer.body))
    expectDiscretion(t, answer)

    const again = await service.post('/webhooks', sample(0), { headers })
    t.equal(again.status, 200, 'the event was already stored')
    t.strictSame(again.body, { ...answer.body, duplicate: true })
    t.ok(Value.Check(AcceptedSchema, again.body))
  }
})

interface Refusal {
  readonly status: number
  readonly code: ProblemCode
  readonly path?: string
  readonly body?: unknown
  readonly options?: WebhookOptions
}

const refusals: Readonly<Record<string, Refusal>> = {
  'an unknown path': { status: 404, code: 'NOT_FOUND', path: `/${CANARY}` },
  'an unknown event in the URL': { status: 404, code: 'NOT_FOUND', path: `/webhooks/${CANARY}` },
  'an unknown path with a body of another content type': { status: 404, code: 'NOT_FOUND', path: '/x', options: { headers: { 'content-type': 'text/xml' } } },
  'an unknown path with a huge body': { status: 404, code: 'NOT_FOUND', path: '/x', body: CANARY.repeat(10_000) },
  'another method': { status: 405, code: 'METHOD_NOT_ALLOWED', options: { method: 'PUT' } },
  'another method with a body of another content type': { status: 405, code: 'METHOD_NOT_ALLOWED', options: { method: 'PUT', headers: { 'content-type': 'text/xml' } } },
  'a body over the limit': { status: 413, code: 'BODY_TOO_LARGE', body: { note: CANARY.repeat(10_000) } },
  'text instead of JSON': { status: 415, code: 'MEDIA_TYPE_UNSUPPORTED', options: { headers: { 'content-type': 'text/plain' } } },
  'another JSON format': { status: 415, code: 'MEDIA_TYPE_UNSUPPORTED', options: { headers: { 'content-type': 'application/cloudevents+json' } } },
  'an invalid content type': { status: 415, code: 'MEDIA_TYPE_UNSUPPORTED', options: { headers: { 'content-type': CANARY } } },
  'a compressed body': { status: 415, code: 'MEDIA_TYPE_UNSUPPORTED', options: { headers: { 'content-encoding': 'gzip' } } }
}

const unsignedRefusals: Readonly<Record<string, Refusal>> = {
  'an empty body': { status: 400, code: 'BODY_NOT_JSON', body: '' },
  'half a body': { status: 400, code: 'BODY_NOT_JSON', body: `{"note":"${CANARY}"` },
  'a body that is not JSON, short enough to be quoted': { status: 400, code: 'BODY_NOT_JSON', body: CANARY },
  'bytes that are not UTF-8': { status: 400, code: 'BODY_NOT_JSON', body: Buffer.from([0x22, 0xC3, 0x28, 0x22]) },
  'a __proto__ key': { status: 400, code: 'BODY_NOT_JSON', body: JSON.stringify(sample(1)).replace('"note"', '"__proto__"') },
  'JSON that is no object': { status: 422, code: 'EVENT_INVALID', body: [CANARY] },
  'a missing envelope': { status: 422, code: 'EVENT_INVALID', body: { note: CANARY } },
  'an envelope without data': { status: 422, code: 'EVENT_INVALID', body: { event: { type: CANARY } } },
  'a known event whose body fails': { status: 422, code: 'EVENT_INVALID', body: envelopeAround(JOINED, { note: CANARY }) },
  'an envelope that contradicts the URL': { status: 422, code: 'EVENT_INVALID', path: '/webhooks/customer.loyalty.tier.left', body: sample(2) }
}

t.test('unsigned', async t => {
  const service = await buildService(t, { BODY_LIMIT_BYTES: '65536' })
  for (const [name, { status, code, path = '/webhooks', body = sample(3), options }] of Object.entries({ ...refusals, ...unsignedRefusals })) {
    await t.test(`${name} is answered ${status}`, async t => {
      expectProblem(t, await service.post(path, body, { ...options, headers: { ...headers, ...options?.headers } }), status, code)
    })
  }
  t.equal(service.forwarded.lines.length, 0)
})

t.test('signed', async t => {
  const environment = { ...signed, BODY_LIMIT_BYTES: '65536', REQUIRED_HEADERS: `X-Second: ${SECRET}` }
  const service = await buildService(t, environment)
  const second = { ...headers, 'x-second': SECRET }
  for (const [name, { status, code, path = '/webhooks', body = sample(3), options }] of Object.entries(refusals)) {
    await t.test(`${name} is answered ${status}`, async t => {
      expectProblem(t, await service.post(path, body, { ...options, headers: { ...second, ...options?.headers } }), status, code)
    })
  }
  await t.test('no signature is answered 401', async t => {
    const answer = await service.post('/webhooks', sample(3), { headers: second, secret: null })
    expectProblem(t, answer, 401, 'SIGNATURE_MISSING')
    t.equal(answer.headers['www-authenticate'], 'Voucherify-Signature')
  })
  await t.test('another secret is answered 401', async t => {
    expectProblem(t, await service.post('/webhooks', sample(3), { headers: second, secret: CANARY }), 401, 'SIGNATURE_WRONG')
  })
  await t.test('a webhook without a required header is answered 401', async t => {
    expectProblem(t, await service.post('/webhooks', sample(3), { headers }), 401, 'HEADER_WRONG')
  })
  for (const [name, { path = '/webhooks', body }] of Object.entries(unsignedRefusals)) {
    await t.test(`${name} is accepted, because the sender means the same`, async t => {
      const answer = await service.post(path, body, { headers: second })
      t.equal(answer.status, 202)
      t.match(answer.body, { verdict: name.includes('__proto__') || name.includes('contradicts') ? 'valid' : 'invalid' })
      expectDiscretion(t, answer)
    })
  }
})

t.test('a source that is not allowed is answered 403', async t => {
  const service = await buildService(t, { ...signed, ALLOWED_SOURCES: 'eu1', ALLOWED_SOURCES_MODE: 'enforce' })
  expectProblem(t, await service.post('/webhooks', sample(0), { headers }), 403, 'SOURCE_NOT_ALLOWED')
})

t.test('405 lists the methods that the path accepts', async t => {
  const service = await buildService(t, { CUSTOM_WEBHOOKS: 'abc' })
  const { headers: { allow } } = await service.get('/webhooks/events.customer.loyalty.tier.LEFT/?x=1')
  t.equal(allow, 'POST')
  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'DELETE', 'PATCH'] as const) {
    const answer = await service.post('/webhooks/custom/abc', '', { method: method as 'PUT' })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'POST')
  }
  const health = await service.post('/health/live', {})
  t.equal(health.status, 405)
  t.equal(health.headers.allow, 'GET, HEAD')
})

t.test('a webhook that cannot be stored now is answered 503 with Retry-After', async t => {
  const app = await buildApp(t, {
    append: async () => { throw new Problem('JOURNAL_UNAVAILABLE', { detail: 'The disk is full.', headers: { 'retry-after': '5' }, cause: new Error(CANARY) }) }
  })
  const answer = await app.post('/webhooks', sample(0), { headers })
  expectProblem(t, answer, 503, 'JOURNAL_UNAVAILABLE')
  t.equal(answer.headers['retry-after'], '5')
  t.match(app.log.find('webhook not accepted'), [{ level: 50, status: 503, code: 'JOURNAL_UNAVAILABLE', err: { message: 'The disk is full.' } }])
})

t.test('an internal error is answered 500, whatever code it has, and only the log has details', async t => {
  const errors = [new Error(CANARY), Object.assign(new Error(CANARY), { code: 'ECONNRESET' }), CANARY]
  const app = await buildApp(t, { append: async () => { throw errors.shift() } })
  while (errors.length > 0) expectProblem(t, await app.post('/webhooks', sample(0), { headers }), 500, 'INTERNAL')
  t.match(app.log.find('webhook not accepted')[0], { code: 'INTERNAL', err: { stack: CANARY } })
})

t.test('an error inside validation is answered 500, although Fastify reports it like an invalid body', async t => {
  const parse = JSON.parse
  t.teardown(() => { JSON.parse = parse })
  let failing = true
  JSON.parse = (text, reviver) => {
    const value = parse(text, reviver) as unknown
    if (text.includes('fails-once')) Object.defineProperty(value, 'event', { get () { if (failing) { failing = false; throw new Error(CANARY) } return { type: JOINED } } })
    return value
  }
  const app = await buildApp(t, { secrets: [SECRET] })
  expectProblem(t, await app.post('/webhooks', '{"fails-once":true,"data":{}}'), 500, 'INTERNAL')
  t.match(app.log.find('webhook not accepted'), [{ err: { stack: CANARY } }])
})

t.test('a refusal is logged with its code, and without the body or a secret', async t => {
  const service = await buildService(t, signed)
  await service.post('/webhooks', sample(0), { secret: 'wrong', headers })
  t.match(service.log.find('webhook refused'), [{
    level: 40, status: 401, code: 'SIGNATURE_WRONG', path: '/webhooks', sourceAddress: '127.0.0.1', ms: Number
  }])
  t.notMatch(JSON.stringify(service.log.lines), CANARY)
  t.notMatch(JSON.stringify(service.log.lines), SECRET)
})
