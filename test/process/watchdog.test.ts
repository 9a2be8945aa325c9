import t, { type Test } from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { asking, fakeManagementApi, fakeWebhook, MANAGEMENT_ID, MANAGEMENT_TOKEN, type FakeManagementApi } from '../support/fake-management-api.js'
import { postEvent, PROCESS_SECRET, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

async function start (t: Test, api: FakeManagementApi, dataDir: string, environment: Readonly<Record<string, string>> = {}) {
  const adminPort = await freePort()
  const service = await startServiceProcess(dataDir, { ...asking(api), ADMIN_PORT: String(adminPort), ...environment })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const get = async (path: string): Promise<string> => await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()
  return { service, get }
}

async function logged (service: ServiceProcess, message: string, check = ''): Promise<string> {
  return await eventually(() => service.log().split('\n').find((line) => line.includes(`"msg":"${message}"`) && line.includes(check)), `${message} ${check}`)
}

t.test('the built service: an inactive webhook and a changed secret are reported within a round, and the webhook is switched on once and not again after a restart', async (t) => {
  const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false })], secret: 'another-secret-of-the-tests' })
  const dataDir = t.testdir()
  const first = await start(t, api, dataDir, { VOUCHERIFY_REENABLE: 'true' })
  await logged(first.service, 'webhook status wrong', '"check":"active"')
  await logged(first.service, 'webhook status wrong', '"check":"secret"')
  await logged(first.service, 'webhook switched on by the watchdog', '"webhookId":"wh_1"')
  await logged(first.service, 'webhook status ok', '"check":"active"')
  t.equal(api.webhooks[0]?.active, true)
  const status = await first.get('/api/webhook-status')
  t.match(JSON.parse(status), { watching: true, failure: null, switchedOn: [{ webhookId: 'wh_1' }], checks: [{ check: 'webhook', state: 'ok' }, { check: 'active', state: 'ok' }, { check: 'events', state: 'ok' }, { check: 'secret', state: 'wrong' }] })
  const metrics = await first.get('/metrics')
  for (const line of ['tierhook_webhook_status{check="active"} 1', 'tierhook_webhook_status{check="secret"} 0', 'tierhook_webhook_switched_on_total 1']) t.match(metrics, `${line}\n`)
  t.match(metrics, /^tierhook_webhook_status_unanswered_seconds \d/m)
  t.equal(await first.service.kill('SIGTERM'), 0)

  api.webhooks.splice(0, 1, fakeWebhook('wh_1', { active: false }))
  const second = await start(t, api, dataDir, { VOUCHERIFY_REENABLE: 'true' })
  await logged(second.service, 'webhook not switched on', 'within the last hour')
  t.equal(api.requests.filter(({ method }) => method === 'PUT').length, 1)
  for (const secret of [MANAGEMENT_ID, MANAGEMENT_TOKEN, 'another-secret-of-the-tests', PROCESS_SECRET]) t.notMatch(first.service.log() + second.service.log() + status + metrics, secret)
})

t.test('the built service: a management API that hangs affects neither acceptance, readiness, nor a stop in time', async (t) => {
  const api = await fakeManagementApi(t)
  api.mood = 'hanging'
  const { service, get } = await start(t, api, t.testdir())
  await eventually(() => api.requests.length > 0 ? true : undefined, 'a request')
  t.equal((await postEvent(service.url, 'ev_1')).status, 202)
  t.equal((await fetch(new URL('/health/ready', service.url))).status, 200)
  t.match(JSON.parse(await get('/api/webhook-status')), { watching: true, askedAt: null, checks: { length: 0 } })
  t.equal(await service.kill('SIGTERM'), 0)
  t.notMatch(service.log(), /"level":[56]0/)
})

t.test('the built service without these settings asks no API, and says so', async (t) => {
  const api = await fakeManagementApi(t)
  const nothing = Object.fromEntries(Object.keys(asking(api)).map((name) => [name, '']))
  const { get } = await start(t, api, t.testdir(), nothing)
  t.match(JSON.parse(await get('/api/webhook-status')), { watching: false, checks: { length: 0 } })
  t.notMatch(await get('/metrics'), /^tierhook_webhook_status/m)
  t.strictSame(api.requests, [])
})
