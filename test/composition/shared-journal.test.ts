import t from 'tap'
import { request } from 'undici'
import { setTimeout as pause } from 'node:timers/promises'
import { createHarness } from '../commands/harness.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { createService } from '../../src/composition/service.js'
import { loadSettings } from '../../src/config/load-settings.js'
import { captureLines } from '../support/capture-lines.js'
import { captureLog } from '../support/capture-log.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { freePort, noPostgres, startPostgres } from '../support/postgres-server.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'

const UPGRADED = 'customer.loyalty.tier.upgraded'
const event = (index: number): object => sampleEnvelope(UPGRADED, { index, now: new Date() })

t.test('services that share a journal in PostgreSQL', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  const shared = (JOURNAL_SCHEMA: string, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({ ...signed, JOURNAL: server.url, JOURNAL_SCHEMA, RETRY_MIN_MS: '10', RETRY_MAX_MS: '20', ...more })

  await t.test('any service accepts, one forwards, and an operator\'s actions reach it through any service', async (t) => {
    const adminPort = String(await freePort())
    const one = await buildService(t, shared('both', { REPLICA_NAME: 'one', FORWARDERS: 'log,file' }))
    await eventuallyTrue(() => one.log.find('forwarder led here').length === 2, 'two running forwarders')
    const two = await buildService(t, shared('both', { REPLICA_NAME: 'two', FORWARDERS: 'log,file', ADMIN_PORT: adminPort }))
    const first = await two.post('/webhooks', event(1))
    t.equal(first.status, 202)
    t.match(await one.post('/webhooks', event(1)), { status: 200, body: { id: first.body['id'] } })
    t.equal((await one.post('/webhooks', event(2))).status, 202)
    t.equal((await one.fileLines(2)).length, 2, 'the replica that began the file writes it')
    t.equal((await two.get('/health/ready')).status, 200)

    async function run (...args: readonly string[]) {
      const { stdout, stderr, run } = createHarness({ environment: { ...shared('both', { FORWARDERS: 'log,file' }) }, directory: t.testdir({ data: {} }) })
      const code = await run(...args)
      return { code, text: stdout.text, error: stderr.text }
    }
    t.match(await run('forwarders'), { code: 0, text: /NAME.*RUNS ON +HOME[^]*file .*one +one/ })
    t.match(await run('deliveries', '--json'), { code: 0, text: /"status":"forwarded"/ })
    t.match(await run('verify'), { code: 0 })
    t.match(await run('verify', '--full'), { code: 1, error: /pg_amcheck/ })
    t.match(await run('backup', 'x.db'), { code: 1, error: /pg_dump --schema=both/ })
    t.match(await run('restore', 'x.db'), { code: 1, error: /pg_restore/ })
    t.match(await run('replay', String(first.body['id']), '--forwarder', 'file'), { code: 0 })
    t.equal((await one.fileLines(3)).length, 3)
    t.match(await run('prune', '--dry-run'), { code: 0 })
    t.match(await run('quarantine'), { code: 0 })

    const api = async (path: string, method: 'GET' | 'POST' = 'GET') => await (await request(`http://127.0.0.1:${adminPort}${path}`, { method, ...method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {} })).body.text()
    t.match(await api('/api/forwarders/file/pause', 'POST'), '"paused":true')
    await eventuallyTrue(() => one.log.find('forwarder paused by an operator').length === 1, 'the leading replica to pause the forwarder')
    t.match(await api('/api/forwarders'), /"name":"file"[^}]*"paused":true[^}]*"leader":"one","home":"one"/)
    t.equal((await two.post('/webhooks', event(3))).status, 202)
    await pause(500)
    t.equal((await one.fileLines(3)).length, 3)
    await api('/api/forwarders/file/resume', 'POST')
    t.equal((await one.fileLines(4)).length, 4)
    t.match(await api('/metrics'), /tierhook_leads\{forwarder="file"\} 0/)

    await one.close()
    await eventually(() => two.log.find('forwarder led here').some((line) => line['forwarder'] === 'log') ? true : undefined, 'a new leader')
    t.equal((await two.post('/webhooks', event(4))).status, 202)
    await eventuallyTrue(() => two.forwarded.lines.some(({ msg }) => msg === UPGRADED), 'an event forwarded by the new leader')
    t.match(await run('forwarders', '--json'), { text: /"name":"file"[^\n]*"leader":null,?[^\n]*/ })
  })

  await t.test('a service waits for its database, then accepts and forwards', async (t) => {
    await server.stop('fast')
    const log = captureLog()
    const made = await buildService(t, shared('later', { FORWARDERS: 'log' }))
    t.equal((await made.get('/health/ready')).status, 503)
    t.match(await made.post('/webhooks', event(1)), { status: 503, body: { code: 'JOURNAL_UNAVAILABLE', detail: 'The webhook cannot be stored: the database cannot be reached.' } })
    t.notMatch(JSON.stringify([...made.log.lines, ...log.lines]), SECRET)
    await server.start()
    await eventually(async () => (await made.get('/health/ready')).status === 200 ? true : undefined, 'a ready service')
    t.equal((await made.post('/webhooks', event(1))).status, 202)
    await eventuallyTrue(() => made.forwarded.lines.some(({ msg }) => msg === UPGRADED), 'a forwarded event')
  })

  await t.test('a data folder that still has a journal of its own is refused', async (t) => {
    const DATA_DIR = t.testdir({ 'tierhook.db': 'something' })
    const settings = loadSettings({ environment: { PORT: '0', ADMIN_PORT: '0', DATA_DIR, ...shared('left') } })
    const service = createService({ settings, logger: captureLog().logger, logDestination: captureLines() })
    await t.rejects(service.start(), { code: 'DATABASE_UNFIT', message: /holds tierhook\.db, a journal whose events would not be forwarded/ })
    await service.close()
  })
})
