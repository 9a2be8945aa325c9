import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { ConfigurationError } from '../../src/config/configuration-error.js'
import { loadSettings } from '../../src/config/load-settings.js'
import { createService, type Service } from '../../src/composition/service.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { listen } from '../forwarders/http/support/servers.js'
import { captureLines } from '../support/capture-lines.js'
import { captureLog } from '../support/capture-log.js'
import { signed } from '../support/build-service.js'
import { eventually } from '../support/eventually.js'
import { localThreads } from '../support/local-threads.js'
import { webhookClient } from '../support/post-webhook.js'
import { rawConnection } from '../support/raw-http.js'

function service (t: Test, environment: Record<string, string>, log = captureLog(), lines = captureLines()): Service {
  const settings = loadSettings({ environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR: environment['DATA_DIR'] ?? t.testdir(), ...environment } })
  const made = createService({ settings, logger: log.logger, logDestination: lines })
  t.teardown(async () => { await made.close() })
  return made
}

t.test('a failed start closes everything that it opened, so that another start can use the folder', async (t) => {
  const port = String((await listen(t, createServer())).port)
  const DATA_DIR = t.testdir({
    'own.mjs': 'export const createForwarder = (_options, { logger }) => ({ forward: async () => {}, close: async () => { logger.info("own closed") } })',
    'forwarders.json': '[{"name":"own","type":"./own.mjs"}]'
  })
  const log = captureLog()
  const lines = captureLines()
  const first = service(t, { DATA_DIR, PORT: port, FORWARDERS_FILE: `${DATA_DIR}/forwarders.json` }, log, lines)
  await t.rejects(first.start(), { code: 'EADDRINUSE' })
  t.equal(lines.lines.filter(({ msg }) => msg === 'own closed').length, 1)
  t.equal(log.find('forwarders not started').length, 0)
  await first.close()
  const second = service(t, { DATA_DIR })
  t.match(await second.start(), { url: /^http/ })
  t.strictSame(await second.start(), await second.start(), 'a second start() changes nothing')
})

t.test('a module that cannot be loaded stops the start before the service listens', async (t) => {
  const DATA_DIR = t.testdir({ 'forwarders.json': '[{"name":"own","type":"./gone.mjs"},{"name":"log","type":"log"}]' })
  const made = service(t, { DATA_DIR, FORWARDERS_FILE: `${DATA_DIR}/forwarders.json` })
  const error: unknown = await made.start().catch((reason: unknown) => reason)
  t.type(error, ConfigurationError)
  t.match(error, { faults: [{ variable: 'forwarder own', message: /cannot be loaded/ }] })
})

t.test('a forwarders file with faults stops the start at once', async (t) => {
  const folder = t.testdir({ 'forwarders.json': '{}' })
  t.throws(() => service(t, { DATA_DIR: folder, FORWARDERS_FILE: `${folder}/forwarders.json` }), { code: 'CONFIGURATION_INVALID', message: /forwarders\.json: must be a list/ })
})

t.test('a sender that never ends its request does not keep the service from stopping', async (t) => {
  const made = service(t, { ...signed, SHUTDOWN_TIMEOUT_MS: '400' })
  const { url } = await made.start()
  const sender = await rawConnection(t, Number(new URL(url).port))
  sender.write('POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{')
  const idle = await rawConnection(t, Number(new URL(url).port))
  idle.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
  await idle.answers(1)
  const before = performance.now()
  await made.close()
  t.ok(performance.now() - before < 9000, 'closing does not wait for the request timeout')
  await sender.closed()
  await idle.closed()
})

t.test('the operator\'s listener is ready when webhooks are accepted, shows deliveries, and ends with the service', async (t) => {
  const log = captureLog()
  const settings = loadSettings({ environment: { ...signed, PORT: '0', DATA_DIR: t.testdir(), FORWARDERS: 'log' } })
  const made = createService({ settings, logger: log.logger, logDestination: captureLines(), threads: localThreads(), adminPort: 0, version: '1.2.3' })
  t.teardown(made.close)
  const { url, adminUrl = '' } = await made.start()
  t.match(log.find('operator\'s listener listening'), [{ url: adminUrl, token: false }])
  const agent = new Agent()
  t.teardown(async () => { await agent.destroy() })
  const client = webhookClient(url, agent, settings.VOUCHERIFY_WEBHOOK_SECRETS[0])
  const accepted = await client.post('/webhooks', sampleEnvelope('customer.loyalty.tier.left', { index: 0, seed: 'service', now: new Date() }))
  const admin = webhookClient(adminUrl, agent, undefined)
  t.match((await admin.get('/api/deliveries')).body, { deliveries: [{ id: accepted.body['id'], eventType: 'customer.loyalty.tier.left' }] })
  t.match((await admin.get('/api/status')).body, { version: '1.2.3', ready: true, lastSequence: 1 })
  await eventually(async () => JSON.stringify((await admin.get('/api/forwarders')).body).includes('"lastOutcome":{"status":"forwarded"') ? true : undefined, 'the attempt to be listed')
  t.match((await admin.post('/api/forwarders/log/pause', {})).body, { paused: true })
  t.match((await admin.get('/api/forwarders')).body, { forwarders: [{ name: 'log', configured: true, type: 'log', destination: 'stdout', paused: true }] })
  t.equal((await admin.get('/webhooks')).status, 404, 'the operator\'s listener does not accept webhooks')
  t.equal((await client.get('/api/status')).status, 404, 'the public listener does not serve the operator API')
  const events = await fetch(`${adminUrl}/api/events`)
  await made.close()
  const rest: unknown = await events.text()
  t.type(rest, 'string', 'the event stream has ended')
})

t.test('a port in use stops the start, with the name of its setting', async (t) => {
  const port = (await listen(t, createServer())).port
  const settings = loadSettings({ environment: { PORT: '0', ADMIN_PORT: String(port), DATA_DIR: t.testdir() } })
  const made = createService({ settings, logger: captureLog().logger, logDestination: captureLines(), threads: localThreads() })
  await t.rejects(made.start(), { name: 'OperatorListenerError', cause: { code: 'EADDRINUSE', port } })
})

t.test('if a part fails to close, the others still close: the journal is closed, and its folder is free', async (t) => {
  const DATA_DIR = t.testdir()
  const log = captureLog()
  const settings = loadSettings({ environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR } })
  const threads = localThreads()
  const startOperator: typeof threads.startOperator = (onFailure) => ({ ...threads.startOperator(onFailure), close: async () => { throw new Error('it does not close') } })
  const first = createService({ settings, logger: log.logger, logDestination: captureLines(), threads: { ...threads, startOperator } })
  await first.start()
  await t.rejects(first.close(), { message: 'it does not close' })
  t.match(log.find('part of the service failed to close'), [{ part: 'operator' }])
  const second = service(t, { DATA_DIR })
  t.match(await second.start(), { url: /^http/ })
})

t.test('a forwarder that an operator paused stays paused after a restart, until it is resumed', async (t) => {
  const DATA_DIR = t.testdir()
  const settings = loadSettings({ environment: { PORT: '0', DATA_DIR } })
  const agent = new Agent()
  t.teardown(async () => { await agent.destroy() })
  async function withService (work: (admin: ReturnType<typeof webhookClient>) => Promise<void>): Promise<void> {
    const running = createService({ settings, logger: captureLog().logger, logDestination: captureLines(), threads: localThreads(), adminPort: 0 })
    const { adminUrl = '' } = await running.start()
    await work(webhookClient(adminUrl, agent, undefined)).finally(running.close)
  }
  await withService(async (admin) => {
    t.match(await admin.post('/api/forwarders/log/pause', {}), { status: 200, body: { paused: true } })
  })
  await withService(async (admin) => {
    t.match((await admin.get('/api/forwarders')).body, { forwarders: [{ name: 'log', paused: true }] })
    t.match(await admin.post('/api/forwarders/log/resume', {}), { status: 200, body: { paused: false } })
  })
  await withService(async (admin) => {
    t.match((await admin.get('/api/forwarders')).body, { forwarders: [{ name: 'log', paused: false }] })
  })
})
