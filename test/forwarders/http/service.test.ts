import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { request } from 'undici'
import { ConfigurationError } from '../../../src/config/configuration-error.js'
import { loadSettings } from '../../../src/config/load-settings.js'
import { createService, type Service } from '../../../src/composition/service.js'
import { sign } from '../../../src/voucherify/signature.js'
import { captureLog } from '../../support/capture-log.js'
import { eventually } from '../../support/eventually.js'
import { rawConnection } from '../../support/raw-http.js'
import { httpDestination } from './support/servers.js'

function service (environment: Record<string, string>): Service {
  return createService({
    settings: loadSettings({ environment: { PORT: '0', ADMIN_PORT: '0', FORWARDERS: 'http', ...environment } }),
    logger: captureLog().logger,
    logDestination: { write: () => {}, flushed: async () => {} },
    version: '4.5.6',
    environment: {}
  })
}

t.test('a webhook to the service arrives byte for byte, signed again and with the configured headers', async (t) => {
  const destination = await httpDestination(t)
  const secret = `whsec_${randomBytes(24).toString('base64')}`
  const running = service({
    DATA_DIR: t.testdir(),
    VOUCHERIFY_WEBHOOK_SECRETS: 'theirs',
    HTTP_FORWARDER_URL: `${destination.url}hook`,
    HTTP_FORWARDER_SECRETS: secret,
    HTTP_FORWARDER_HEADERS: 'Authorization: Bearer ours'
  })
  t.teardown(async () => { await running.close() })
  const { url } = await running.start()
  const body = Buffer.from('{ "id" : "whs_1",\r\n\t"data": {"n": [1.0, 9007199254740993, 1e2, -0], "n": "\\u00e9\\/"}, "event": {"id": "ev_1", "type": "a.b"} }\n')
  const signature = sign(body, 'theirs')
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const answer = await request(`${url}/webhooks`, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature, traceparent }, reset: true })
  t.equal(answer.statusCode, 202)
  await answer.body.dump()
  await eventually(() => destination.received.length > 0 ? true : undefined, 'the event at the destination')
  const [received] = destination.received
  t.ok(received?.body.equals(body))
  t.match(received, {
    path: '/hook',
    headers: {
      'content-type': 'application/json',
      'x-voucherify-signature': signature,
      'user-agent': 'tierhook/4.5.6',
      'tierhook-event-type': 'a.b',
      'tierhook-verdict': 'unvalidated',
      'tierhook-attempt': '1',
      authorization: 'Bearer ours',
      traceparent
    }
  })
  t.ok(new Webhook(secret).verify(received?.body ?? '', Object.fromEntries(Object.entries(received?.headers ?? {}).map(([name, value]) => [name, String(value)]))))
})

t.test('headers that are too long for the destination are left out, and unusual ones are sent byte for byte', async (t) => {
  const destination = await httpDestination(t)
  const running = service({ DATA_DIR: t.testdir(), HTTP_FORWARDER_URL: destination.url, CUSTOM_WEBHOOKS: 'header' })
  t.teardown(async () => { await running.close() })
  const { port } = new URL((await running.start()).url)
  const latin1 = Array.from({ length: 128 }, (_each, index) => String.fromCharCode(128 + index)).join('').trim()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  for (const [index, headers] of [
    { 'content-type': 'application/json', traceparent, tracestate: `a=${'b'.repeat(16_050)}` },
    { 'content-type': `application/json;charset="utf-8";x=${'y'.repeat(16_050)}` },
    { 'content-type': 'application/json', 'x-voucherify-signature': latin1, traceparent, tracestate: '' }
  ].entries()) {
    const connection = await rawConnection(t, Number(port))
    const lines = Object.entries({ host: 'localhost', 'content-length': '2', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    connection.write(Buffer.from(`POST /webhooks/custom/header HTTP/1.1\r\n${lines.join('')}\r\n{}`, 'latin1'))
    t.match(await connection.answers(1), [{ status: 202 }])
    await eventually(() => destination.received.length > index ? true : undefined, 'the event at the destination')
  }
  const [traced, typed, strange] = destination.received.map(({ headers }) => headers)
  t.match(traced, { 'content-type': 'application/json', traceparent, tracestate: undefined })
  t.match(typed, { 'content-type': 'application/json' })
  t.match(strange, { 'x-voucherify-signature': latin1, tracestate: '' })
})

t.test('a configured header that the forwarder sends itself stops the start, with the name of its variable and without its value', async (t) => {
  const environment = { DATA_DIR: t.testdir(), HTTP_FORWARDER_URL: 'http://127.0.0.1/', HTTP_FORWARDER_HEADERS: 'Webhook-Id: hunter2, X-Team: a, Host: hunter2' }
  try {
    service(environment)
    t.fail('it started')
  } catch (error) {
    t.type(error, ConfigurationError)
    t.match(String(error), /HTTP_FORWARDER_HEADERS: names webhook-id, .*\n.*HTTP_FORWARDER_HEADERS: names host, /)
    t.notMatch(String(error), 'hunter2')
  }
})
