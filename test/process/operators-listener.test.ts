import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import { databasePath } from '../../src/journal/sqlite/database.js'
import { createWriter } from '../../src/journal/sqlite/writer.js'
import { freePort } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const DELIVERIES = 20_000

/** A store with deliveries that have all been forwarded. */
function fillStore (dataDir: string): void {
  const path = databasePath(dataDir)
  const writer = createWriter(Date.now)
  writer.open({ path, dedupeWindowMs: 86_400_000, withdrawn: [] })
  writer.close()
  const db = connect(path)
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${DELIVERIES})
    INSERT INTO deliveries (sequence, id, received_at, event_type, verdict, hold, headers, body_bytes, checksum)
    SELECT i, printf('%08x-0000-7000-8000-000000000000', i), 1, 'customer.loyalty.tier.left', 'valid', 0, '{}', 0, 0 FROM n`)
  db.close()
  writer.open({ path, dedupeWindowMs: 86_400_000, withdrawn: [] })
  writer.registerFeed({ forwarder: 'file', cursor: DELIVERIES })
  writer.close()
}

t.test('webhooks are accepted while the operator thread is busy', async t => {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  fillStore(dataDir)
  const port = await freePort()
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(port) })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const list = async (): Promise<{ next: string | null }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/deliveries?customerId=nobody&eventType=*x*y*`)
    return response.json() as Promise<{ next: string | null }>
  }
  await list()
  let overtook = false
  // A busy disk may take longer than all lists. A webhook that waits for them would never be faster.
  for (let round = 0; !overtook && round < 20; round++) {
    let done = 0
    const lists = Array.from({ length: 60 }, async () => {
      const page = await list()
      done++
      return page
    })
    await eventually(() => done > 0 ? true : undefined, 'the first list request to be done')
    t.equal((await postEvent(service.url, `ev_meanwhile_${round}`)).status, 202)
    overtook = done < lists.length
    t.comment(`it was on disk when ${done} of ${lists.length} lists were done`)
    t.ok((await Promise.all(lists)).every(({ next }) => next === null))
  }
  t.ok(overtook)

  const health = await fetch(`${service.url}/health/live`)
  t.equal(health.status, 200)
  t.equal(await service.kill('SIGTERM'), 0)
})

t.test('a stranger who tries tokens is slowed by the address that the proxy reports, and the operator still gets in', async t => {
  const port = await freePort()
  const token = '5f0c9b7ae1d24368b7f1c2d39a7e6b15'
  const service = await startServiceProcess(t.testdir(), { ADMIN_PORT: String(port), ADMIN_TOKEN: token, TRUST_PROXY: 'loopback' })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const ask = async (bearer: string, address: string): Promise<{ status: number, ms: number, retryAfter: string | null }> => {
    const begun = performance.now()
    const { status, headers } = await fetch(`http://127.0.0.1:${port}/api/status`, { headers: { authorization: `Bearer ${bearer}`, 'x-forwarded-for': address } })
    return { status, ms: performance.now() - begun, retryAfter: headers.get('retry-after') }
  }
  const guesses = Array.from({ length: 30 }, async (_, index) => await ask(`guess-${index}`, '192.0.2.1'))
  t.equal((await ask(token, '192.0.2.1')).status, 200, 'the right token works from the same address')
  t.equal((await ask('typed-wrongly', '192.0.2.2')).status, 401, 'another address gets 401, not 429')
  const answers = await Promise.all(guesses)
  const late = answers.filter(({ status }) => status === 401)
  const refused = answers.filter(({ status }) => status === 429)
  t.equal(late.length, 5)
  t.equal(refused.length, 25)
  t.ok(late.every(({ ms }) => ms > 240))
  t.ok(Math.max(...late.map(({ ms }) => ms)) > 1990)
  t.ok(refused.every(({ retryAfter }) => Number(retryAfter) > 0))
  t.equal((await ask(token, '192.0.2.1')).status, 200)
  t.equal(await service.kill('SIGTERM'), 0)
  t.match(service.log(), /"code":"TOKENS_TOO_MANY"[^\n]*"sourceAddress":"192\.0\.2\.1"/)
  t.notMatch(service.log(), /guess-|typed-wrongly|5f0c9b7a/)
})

t.test('the log and the list have who did what, through the listener and by a command beside the running service', async t => {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  const port = await freePort()
  const token = '5f0c9b7ae1d24368b7f1c2d39a7e6b15'
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(port), ADMIN_TOKEN: token })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const { body } = await postEvent(service.url, 'ev_audited')
  const { id } = JSON.parse(body) as { id: string }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const shown = await fetch(`http://127.0.0.1:${port}/api/deliveries/${id}`, { headers })
  t.match(await shown.json(), { id, body: /cust_ev_audited/ })
  const replayed = await fetch(`http://127.0.0.1:${port}/api/deliveries/${id}/replay`, { method: 'POST', headers, body: '{}' })
  t.match(await replayed.json(), { replays: 1 })

  const child = spawn('env', [...plainNode, program, 'replay', '--customer', 'cust_ev_audited', '--data-dir', dataDir], { cwd: dataDir, env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
  t.equal(await new Promise(resolve => { child.on('close', resolve) }), 0)
  const logged = () => service.log().split('\n').filter((line) => line.includes('"msg":"operator action"')).map((line) => JSON.parse(line) as Record<string, unknown>)
  await eventually(() => logged().length === 3 ? true : undefined, 'the command to be in the log')
  const listener = { level: 30, via: 'listener', sourceAddress: '127.0.0.1', token: 'admin', reqId: String }
  t.match(logged(), [
    { ...listener, action: 'read', deliveryIds: [id], count: 1 },
    { ...listener, action: 'replay', deliveryIds: [id], forwarders: ['file'], count: 1 },
    { level: 30, via: 'command', user: userInfo().username, at: /Z$/, action: 'replay', filter: { customerId: '(left out)' }, forwarders: ['file'] }
  ])
  t.equal(await service.kill('SIGTERM'), 0)
  t.equal(logged().length, 3)
  t.notMatch(service.log(), token)
  const list = readFileSync(join(dataDir, 'operator-actions.ndjson'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>)
  t.match(list, [{ via: 'listener', token: 'admin', action: 'read' }, { via: 'listener', token: 'admin', action: 'replay' }, { via: 'command', action: 'replay' }])
})

t.test('tokens have names and roles, from a file too: Prometheus reads and cannot replay, and who replayed is on the list', async t => {
  const dataDir = join(t.testdir({ tokens: 'prometheus:read:7ae1d24368b7f1c2d35f0c9b,anna:operate:c2d35f0c9b7ae1d24368b7f1\n' }), 'data')
  mkdirSync(dataDir)
  const port = await freePort()
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(port), ADMIN_TOKENS_FILE: join(dataDir, '../tokens') })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const { id } = JSON.parse((await postEvent(service.url, 'ev_of_tokens')).body) as { id: string }
  const ask = async (token: string, path: string, body?: string) => await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { method: 'POST', body })
  })
  const [prometheus, anna] = ['7ae1d24368b7f1c2d35f0c9b', 'c2d35f0c9b7ae1d24368b7f1']
  t.match(await (await ask(prometheus, '/metrics')).text(), 'tierhook_ready')
  const refused = await ask(prometheus, `/api/deliveries/${id}/replay`, '{}')
  t.equal(refused.status, 403)
  t.match(await refused.json(), { code: 'TOKEN_READS_ONLY', detail: /^The token prometheus may only read/ })
  t.equal((await ask(anna, `/api/deliveries/${id}/replay`, '{}')).status, 200)
  t.equal((await ask('wrong', '/metrics')).status, 401)
  t.equal(await service.kill('SIGTERM'), 0)
  const list = readFileSync(join(dataDir, 'operator-actions.ndjson'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>)
  t.match(list, [{ action: 'replay', via: 'listener', token: 'anna', sourceAddress: '127.0.0.1', deliveryIds: [id] }])
  t.equal(list.length, 1)
  t.notMatch(service.log(), new RegExp(`${prometheus}|${anna}`))
})

t.test('the API description is available without a service and without a configuration', async t => {
  const child = spawn('env', [...plainNode, program, 'openapi'], { cwd: t.testdir(), env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const code = await new Promise(resolve => { child.on('close', resolve) })
  t.equal(code, 0)
  t.match(JSON.parse(text), { openapi: '3.1.0', paths: { '/webhooks': Object, '/api/deliveries': Object } })
})
