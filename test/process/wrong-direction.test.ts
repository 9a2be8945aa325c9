import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { promisify } from 'node:util'
import t from 'tap'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { freePort } from '../forwarders/http/support/servers.js'
import { plainNode, program } from '../support/program.js'
import { PROCESS_SECRET, startServiceProcess } from '../support/service-process.js'

const UPGRADED = 'customer.loyalty.tier.upgraded'
const DOWNGRADED = 'customer.loyalty.tier.downgraded'
const run = promisify(execFile)

const dataDir = t.testdir()
const adminPort = await freePort()
const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(adminPort) })
t.teardown(async () => { await service.kill('SIGKILL') })

async function post (path: string, body: unknown): Promise<unknown> {
  const text = JSON.stringify(body)
  const signature = createHmac('sha256', PROCESS_SECRET).update(text).digest('hex')
  const response = await fetch(`${service.url}/webhooks${path}`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature }, body: text })
  return { status: response.status, body: await response.json() }
}

function sample (type: typeof UPGRADED | typeof DOWNGRADED, index: number): object {
  return sampleEvent(type, { index, now: new Date() })
}

t.test('a raw payload at the URL of the other direction is valid, and shown as drift by the API, by tierhook drift and in metrics', async (t) => {
  const accepted = { status: 202, body: { verdict: 'valid' } }
  t.match(await post(`/${UPGRADED}`, sample(UPGRADED, 0)), accepted)
  t.match(await post(`/${DOWNGRADED}`, sample(DOWNGRADED, 1)), accepted)
  t.match(await post('', { ...sampleEnvelope(UPGRADED, { index: 2, now: new Date() }) }), accepted)
  const api = `http://127.0.0.1:${adminPort}`
  t.match(await (await fetch(`${api}/api/drift`)).json(), { differences: { length: 0 } })

  t.match(await post(`/${UPGRADED}`, sample(DOWNGRADED, 3)), accepted)
  for (const index of [4, 5]) t.match(await post('/EVENTS.CUSTOMER.LOYALTY.TIER.DOWNGRADED', sample(UPGRADED, index)), accepted)
  const down = { eventType: UPGRADED, kind: 'wrong direction', pointer: '/loyalty_tier_to', expected: 'an upgrade: points that go up', seen: 'points that go down', count: 1, advice: /URL/ }
  const up = { eventType: DOWNGRADED, kind: 'wrong direction', pointer: '/loyalty_tier_to', expected: 'a downgrade: points that go down', seen: 'points that go up', count: 2, advice: /URL/ }
  const { differences } = await (await fetch(`${api}/api/drift`)).json() as { differences: object[] }
  t.match(differences, [up, down])
  t.equal(differences.length, 2)
  t.match(await (await fetch(`${api}/metrics`)).text(), `tierhook_drift_total{event_type="${UPGRADED}",kind="wrong direction"} 1\n`)

  t.equal(await service.kill('SIGTERM'), 0)
  const [command, ...args] = [...plainNode, program, 'drift', '--data-dir', dataDir]
  const table = await run('env', [command, ...args], { cwd: dataDir })
  t.match(table.stdout, /^2 .* customer\.loyalty\.tier\.downgraded +wrong direction +\/loyalty_tier_to +a downgrade: points that go down +points that go up$/m)
  t.match(table.stderr, /^wrong direction: .*URL/m)
  const lines = (await run('env', [command, ...args, '--json'], { cwd: dataDir })).stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)
  t.match(lines, [up, down])
})
