import { createHmac } from 'node:crypto'
import t from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { PROCESS_SECRET, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

const NOW = new Date().toISOString()
const FORGED = 300

/** An event of this source. With an invalid customer it cannot be understood, and the policy `reject` answers 422. */
function envelope (sourceId: string, eventId: string, customer: unknown): string {
  return JSON.stringify({
    id: `whs_${eventId}`,
    type: 'tier.left',
    source: { id: sourceId, object: 'distribution' },
    event: { id: eventId, type: 'customer.loyalty.tier.left', created_at: NOW },
    data: { customer, loyalty_tier: { id: 'ltr_1' }, created_at: NOW }
  })
}

function genuine (sourceId: string, eventId: string): string {
  return envelope(sourceId, eventId, { id: 'cust_1' })
}

const dataDir = t.testdir()
const adminPort = await freePort()
const api = `http://127.0.0.1:${adminPort}`
const environment = { ADMIN_PORT: String(adminPort), INVALID_EVENTS: 'reject' }
let service: ServiceProcess = await startServiceProcess(dataDir, environment)
t.teardown(async () => { await service.kill('SIGKILL') })

async function post (body: string, secret = PROCESS_SECRET): Promise<number> {
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  const response = await fetch(`${service.url}/webhooks`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature }, body })
  await response.text()
  return response.status
}

/** Sends unsigned events of known and invented sources. */
async function forge (): Promise<void> {
  for (let index = 0; index < FORGED; index++) {
    const sourceId = ['distr_failing', 'distr_good', `distr_${index}`][index % 3] ?? ''
    const eventId = index % 2 === 0 ? 'ev_failing' : `ev_${index}`
    const status = await post(genuine(sourceId, eventId), 'a secret of nobody')
    if (status !== 401) throw new Error(`answered ${status}`)
  }
}

async function retryBudget () {
  const response = await fetch(`${api}/api/retry-budget`)
  return await response.json() as { sources: Array<Record<string, unknown>>, unproven: { refused: Array<Record<string, unknown>>, addresses: Array<Record<string, unknown>>, signedAt: string | null } }
}

/** The metrics of sources and of unsigned requests. */
async function metrics (name: string): Promise<string[]> {
  const text = await (await fetch(`${api}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith(name))
}

t.test('300 forged requests change neither proven sources nor a known source\'s counts, and are counted separately', async (t) => {
  t.equal(await post(genuine('distr_good', 'ev_good')), 202)
  t.equal(await post(envelope('distr_failing', 'ev_failing', 'none')), 422)
  const before = await retryBudget()
  t.match(before.sources, [{ sourceId: 'distr_failing', proven: true, triesUsed: 1, failedEvents: 1, lastCode: 'EVENT_INVALID' }])
  t.equal(before.sources.length, 1)
  t.strictSame(before.unproven.refused, [])
  const told = await metrics('tierhook_source_')
  t.ok(told.includes('tierhook_source_tries_used{source_id="distr_failing"} 1'))

  await forge()
  const after = await retryBudget()
  t.strictSame(after.sources, before.sources)
  t.match(after.unproven.refused, [{ from: 'known', count: FORGED, lastCode: 'SIGNATURE_WRONG', triesUsed: 1, triesAllowed: 12 }])
  t.match(after.unproven.addresses, [{ address: '127.0.0.1', known: true, count: FORGED, lastCode: 'SIGNATURE_WRONG' }])
  t.equal(after.unproven.addresses.length, 1)
  t.strictSame((await metrics('tierhook_source_tries_')), told.filter((line) => line.startsWith('tierhook_source_tries_')))
  t.strictSame(await metrics('tierhook_unproven_tries_used'), ['tierhook_unproven_tries_used{from="known"} 1', 'tierhook_unproven_tries_used{from="other"} 0'])
  t.notMatch(service.log(), /sender is about to|sender tries in vain/)
})

t.test('unsigned requests take no place from a new source, and signed ones still count', async (t) => {
  for (let index = 0; index < 30; index++) t.equal(await post(envelope(`distr_new_${index}`, 'ev_1', 'none')), 422)
  const { sources, unproven } = await retryBudget()
  t.equal(sources.length, 31)
  t.ok(sources.every(({ proven, triesUsed }) => proven === true && triesUsed === 1))
  t.match(unproven.refused, [{ count: FORGED }], 'signed requests that are refused do not count as unproven')
})

t.test('a new event with a right signature ends the suspicion that the secret was rotated, and a copy of an old one does not', async (t) => {
  t.equal(await post(genuine('distr_good', 'ev_good')), 200)
  t.equal((await retryBudget()).unproven.refused.length, 1)
  t.equal(await post(genuine('distr_good', 'ev_better')), 202)
  t.strictSame((await retryBudget()).unproven.refused, [])
})

t.test('a rotated secret is shown as unproven requests, also after a restart', async (t) => {
  t.equal(await service.kill('SIGTERM'), 0)
  service = await startServiceProcess(dataDir, { ...environment, VOUCHERIFY_WEBHOOK_SECRETS: 'the-one-of-before' })
  const before = await retryBudget()
  t.equal(await post(genuine('distr_good', 'ev_next')), 401)
  const { sources, unproven } = await retryBudget()
  t.strictSame(sources, before.sources)
  t.match(unproven.refused, [{ from: 'known', count: 1, lastCode: 'SIGNATURE_WRONG', advice: /VOUCHERIFY_WEBHOOK_SECRETS.*rotated/ }])
  const [refused] = unproven.refused
  t.equal(Date.parse(String(refused?.['disabledAt'])) - Date.parse(String(refused?.['since'])), 86_400_000)
})
