import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { ConfigurationError } from '../src/config/configuration-error.js'
import { loadSettings } from '../src/config/load-settings.js'
import { createService, type Service } from '../src/service.js'
import { captureLines } from './support/capture-lines.js'
import { captureLog } from './support/capture-log.js'
import { signed } from './support/build-service.js'
import { rawConnection } from './support/raw-http.js'

function service (t: Test, environment: Record<string, string>, log = captureLog()): Service {
  const settings = loadSettings({ environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR: environment['DATA_DIR'] ?? t.testdir(), ...environment } })
  const made = createService({ settings, logger: log.logger, logDestination: captureLines() })
  t.teardown(async () => { await made.close() })
  return made
}

async function listening (t: Test): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

t.test('a start that fails closes what it opened, so that another can follow in the same folder', async (t) => {
  const port = String(await listening(t))
  const DATA_DIR = t.testdir({
    'own.mjs': 'export const createForwarder = (_options, { logger }) => ({ forward: async () => {}, close: async () => { logger.info("own closed") } })',
    'forwarders.json': '[{"name":"own","type":"./own.mjs"}]'
  })
  const log = captureLog()
  const first = service(t, { DATA_DIR, PORT: port, FORWARDERS_FILE: `${DATA_DIR}/forwarders.json` }, log)
  await t.rejects(first.start(), { code: 'EADDRINUSE' })
  t.equal(log.find('own closed').length, 1)
  t.equal(log.find('forwarders not started').length, 0)
  await first.close()
  const second = service(t, { DATA_DIR })
  t.match(await second.start(), { url: /^http/ })
  t.strictSame(await second.start(), await second.start(), 'starting again changes nothing')
})

t.test('a module that cannot be loaded stops the start before anything is listened to', async (t) => {
  const DATA_DIR = t.testdir({ 'forwarders.json': '[{"name":"own","type":"./gone.mjs"},{"name":"log","type":"log"}]' })
  const made = service(t, { DATA_DIR, FORWARDERS_FILE: `${DATA_DIR}/forwarders.json` })
  const error: unknown = await made.start().catch((reason: unknown) => reason)
  t.type(error, ConfigurationError)
  t.match(error, { faults: [{ variable: 'forwarder own', message: /cannot be loaded/ }] })
})

t.test('a file with faults stops it at once', async (t) => {
  const folder = t.testdir({ 'forwarders.json': '{}' })
  t.throws(() => service(t, { DATA_DIR: folder, FORWARDERS_FILE: `${folder}/forwarders.json` }), { code: 'CONFIGURATION_INVALID', message: /forwarders\.json: must be a list/ })
})

t.test('a sender that never ends its request does not keep it from stopping', async (t) => {
  const made = service(t, { ...signed, SHUTDOWN_TIMEOUT_MS: '400' })
  const { url } = await made.start()
  const sender = await rawConnection(t, Number(new URL(url).port))
  sender.write('POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{')
  const idle = await rawConnection(t, Number(new URL(url).port))
  idle.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
  await idle.answers(1)
  const before = performance.now()
  await made.close()
  t.ok(performance.now() - before < 5000, 'well before the request times out')
  await sender.closed()
  await idle.closed()
})
