import t from 'tap'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, settleAll } from '../journal/sqlite/stored.js'
import { buildAdmin } from '../support/build-admin.js'
import { eventually } from '../support/eventually.js'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { createHarness } from './harness.js'

const NO_COLOR = '1'
const token = 'c2d35f0c9b7ae1d24368b7f1'

const well = {
  version: '1.2.3',
  startedAt: new Date(Date.now() - 7_500_000).toISOString(),
  ready: true,
  reasons: [],
  lastSequence: 0,
  storeBytes: 2_000_000,
  diskFreeBytes: 5_000_000_000,
  needs: [],
  counts: { backlog: 0, deadLetters: 0, quarantined: 0 }
}

t.test('a healthy service says so, asked with the configured token, and the exit code is 0', async t => {
  const store = makeStore(t)
  store.feed('http')
  const admin = await buildAdmin(t, { dataDir: store.dataDir, tokens: [{ name: 'anna', role: 'read', token }], status: async () => well })
  const environment = { ADMIN_PORT: String(admin.port), ADMIN_TOKENS: `anna:read:${token}`, NO_COLOR }
  const harness = createHarness({ environment, terminal: true })
  t.equal(await harness.run('status', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, new RegExp(`^tierhook 1\\.2\\.3 is ready, up for 2 h 5 min: ${admin.url}\n\nNothing needs you\\.\n\nNAME .*\nhttp .*\n\nStore 2 MB, 5,000 MB free\n$`))
  const json = createHarness({ environment })
  t.equal(await json.run('status', '--data-dir', store.dataDir, '--json'), 0)
  t.match(JSON.parse(json.stdout.text), { url: admin.url, status: { version: '1.2.3' }, needs: { length: 0 }, forwarders: [{ name: 'http', backlog: 0 }] })
})

t.test('things that need the operator are shown with advice, and the exit code is 1', async t => {
  const store = makeStore(t)
  const needs = [
    { kind: 'dead letters' as const, text: 'gifts has 39 dead letters', forwarder: 'gifts', count: 39 },
    { kind: 'destination down' as const, text: 'crm is down', forwarder: 'crm', since: new Date(Date.now() - 780_000).toISOString() },
    { kind: 'quarantine' as const, text: '16 deliveries are in quarantine', count: 16 },
    { kind: 'webhook' as const, text: 'the webhook at Voucherify is wrong: off' },
    { kind: 'forwarder not configured' as const, text: '1 delivery waits for old, which is not configured', forwarder: 'old' },
    { kind: 'forwarder paused' as const, text: 'x is paused', forwarder: 'x' }
  ]
  const admin = await buildAdmin(t, { dataDir: store.dataDir, status: async () => ({ ...well, ready: false, storeBytes: null, needs }) })
  const harness = createHarness({ environment: { ADMIN_PORT: String(admin.port), NO_COLOR } })
  t.equal(await harness.run('status', '--data-dir', store.dataDir), 1)
  t.match(harness.stdout.text, /^tierhook 1\.2\.3 is not ready, up for 2 h 5 min: .*\n\n6 things need you:\n {2}! gifts has 39 dead letters\n {6}tierhook dead-letters --forwarder gifts\n {2}! crm is down, for 13 min(?: \d+ s)?\n {6}tierhook check --connect\n {2}! 16 deliveries are in quarantine\n {6}tierhook quarantine\n/)
  t.match(harness.stdout.text, '      tierhook check --voucherify\n')
  t.match(harness.stdout.text, '      tierhook forwarders forget old\n')
  t.match(harness.stdout.text, '  ! x is paused\n\nStore unknown, 5,000 MB free\n')
})

t.test('if no service answers, that needs the operator, and the rest comes from the store', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery(), quarantinedDelivery())
  await settleAll(http, () => dead())
  const port = await freePort()
  const environment = { ADMIN_PORT: String(port), FORWARDERS: 'http', HTTP_FORWARDER_URL: 'http://127.0.0.1', NO_COLOR }
  const harness = createHarness({ environment })
  t.equal(await harness.run('status', '--data-dir', store.dataDir), 1)
  t.match(harness.stdout.text, `tierhook does not run here: http://127.0.0.1:${port} cannot be reached (ECONNREFUSED)\n\n3 things need you:\n  ! no service runs\n  ! http has 1 dead letter\n`)
  t.match(harness.stdout.text, '  ! 1 delivery is in quarantine\n')
  const off = createHarness({ environment: { ...environment, ADMIN_PORT: '0' } })
  t.equal(await off.run('status', '--data-dir', store.dataDir), 1)
  t.match(off.stdout.text, /^tierhook does not run\n/)
  const json = createHarness({ environment })
  t.equal(await json.run('status', '--data-dir', store.dataDir, '--json'), 1)
  t.match(JSON.parse(json.stdout.text), { running: false, status: null, silent: /^cannot be reached/, needs: [{ kind: 'not ready' }, { kind: 'dead letters' }, { kind: 'quarantine' }] })
})

t.test('a wrong token, and another program at the port, are recognised by their answers', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery())
  await settleAll(http, forwarded)
  const admin = await buildAdmin(t, { dataDir: store.dataDir, token: 'another-token', status: async () => well })
  const harness = createHarness({ environment: { ADMIN_PORT: String(admin.port), NO_COLOR } })
  t.equal(await harness.run('status', '--data-dir', store.dataDir), 1)
  t.match(harness.stdout.text, 'answered 401: Send ADMIN_TOKEN, or one of ADMIN_TOKENS, as a bearer token')
  for (const [body, said] of [['{}', 'answered 200'], ['hello', 'cannot be reached (no JSON)']] as const) {
    const { port } = await httpDestination(t, (_request, response) => { response.end(body) })
    const other = createHarness({ environment: { ADMIN_PORT: String(port), NO_COLOR } })
    t.equal(await other.run('status', '--data-dir', store.dataDir), 1)
    t.match(other.stdout.text, said)
  }
})

t.test('with --watch the screen is redrawn, and the exit code is that of the last one', async t => {
  const store = makeStore(t)
  let needs: typeof well.needs = []
  const admin = await buildAdmin(t, { dataDir: store.dataDir, status: async () => ({ ...well, needs }) })
  const harness = createHarness({ environment: { ADMIN_PORT: String(admin.port), NO_COLOR } })
  const running = harness.run('status', '--watch', '1', '--data-dir', store.dataDir)
  await eventually(() => harness.stdout.text.includes('Nothing needs you') ? true : undefined, 'the first screen')
  needs = [{ kind: 'quarantine', text: '2 deliveries are in quarantine' }] as never
  await eventually(() => harness.stdout.text.includes('1 thing needs you') ? true : undefined, 'the next screen')
  harness.signal('SIGINT')
  t.equal(await running, 1)
})
