import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { request } from 'undici'
import type { AcceptedWebhook } from '../../src/delivery/observation.js'
import { migrate } from '../../src/journal/postgres/schema.js'
import { openDatabase } from '../../src/journal/postgres/database.js'
import { createSharedObservations } from '../../src/journal/postgres/observations.js'
import { createSharedSwitchOnLimit } from '../../src/journal/postgres/switched-on.js'
import { keepObservations } from '../../src/sender-watch/keep-observations.js'
import type { ObservationsStore } from '../../src/sender-watch/observations-store.js'
import { createObserved } from '../../src/sender-watch/observed.js'
import { watchdogOff } from '../../src/sender-watch/webhook-status.js'
import { createHarness } from '../commands/harness.js'
import { buildService, signed, type BuiltService } from '../support/build-service.js'
import { captureLog } from '../support/capture-log.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { fakeManagementApi, fakeWebhook, asking, TIER_EVENTS } from '../support/fake-management-api.js'
import { freePort, noPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'

/** The parts of the API's answers that the test uses. */
interface Answer {
  readonly checks: readonly unknown[]
  readonly expectations: readonly unknown[]
  readonly differences: ReadonlyArray<{ readonly pointer: string, readonly count: number }>
  readonly forwarders: ReadonlyArray<{ readonly name: string }>
}

let schemas = 0

/** Replicas that exchange observations when the test says so. */
async function makeFleet (t: Test, server: PostgresServer) {
  const schema = `observed_${++schemas}`
  const database = openDatabase({ url: server.url, schema, connections: 1 })
  t.teardown(database.close)
  await migrate(database, schema)
  const leader: { name?: string } = {}

  async function replica (name: string) {
    const log = captureLog()
    const id = randomUUID()
    const leads = (): boolean => leader.name === name
    const live = async (isLive: boolean): Promise<void> => {
      await database.query(`INSERT INTO ${database.schema}.members VALUES ($1, $2, 0, $3) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`, [id, name, isLive ? 1e13 : 0])
    }
    await live(true)
    const observed = createObserved({ expectations: [{ pattern: '*', withinMs: 3_600_000 }], logger: log.logger, now: Date.now, leads, webhookStatus: () => watchdogOff })
    const store: ObservationsStore = createSharedObservations({ url: server.url, schema, member: { id } })
    const kept = keepObservations({ store, observed, leads, logger: log.logger })
    t.teardown(kept.close)
    return {
      log,
      live,
      kept,
      meet: (eventId: string): void => { observed.answered({ outcome: 'accepted', eventType: 'made.up', verdict: 'unvalidated', late: false, sourceId: 'wh_1', eventId, faults: [], secretNumber: 1, body: {} } as unknown as AcceptedWebhook) },
      fail: (eventId: string): void => { observed.answered({ outcome: 'refused', status: 503, ms: 1, code: 'JOURNAL_UNAVAILABLE', toWebhook: true, sourceAddress: '192.0.2.1', proven: { sourceId: 'wh_1', eventId } }) },
      budget: () => observed.retryBudget().map(({ triesUsed, failedEvents, recovered }) => ({ triesUsed, failedEvents, recovered })),
      counts: (): readonly number[] => observed.drift().differences.map(({ count }) => count),
      cameAt: (): number | null | undefined => observed.missingEvents.states()[0]?.lastAt
    }
  }
  return { schema, leader, replica, rows: async () => await server.query<{ id: string, text: string | null }>(`SELECT id, text FROM ${schema}.observations ORDER BY id`) }
}

t.test('observations of replicas', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)

  await t.test('each replica has a row, shows the sum of all, and writes its row only after a change', async (t) => {
    const { replica, rows } = await makeFleet(t, server)
    const [a, b] = [await replica('a'), await replica('b')]
    a.meet('ev_1')
    b.meet('ev_2')
    // Each replica also keeps the observations of the other.
    for (const { kept } of [a, b, a, b, a]) await kept.save()
    t.strictSame([a.counts(), b.counts()], [[2], [2]])
    t.equal((await rows()).length, 3)
    const before = await server.query(`SELECT xmin FROM observed_${schemas}.observations`)
    await a.kept.save()
    t.strictSame(await server.query(`SELECT xmin FROM observed_${schemas}.observations`), before)
  })

  await t.test('failures at several replicas are one retry budget, which ends when any replica accepts the event, and is reported while the database is away', async (t) => {
    const { replica } = await makeFleet(t, server)
    const [a, b] = [await replica('a'), await replica('b')]
    a.fail('ev_1')
    a.fail('ev_2')
    b.fail('ev_3')
    for (const { kept } of [a, b, a]) await kept.save()
    for (const { budget } of [a, b]) t.strictSame(budget(), [{ triesUsed: 1, failedEvents: 3, recovered: false }])
    for (const eventId of ['ev_1', 'ev_2', 'ev_3']) b.meet(eventId)
    for (const { kept } of [b, a, b]) await kept.save()
    for (const { budget } of [a, b]) t.match(budget(), [{ failedEvents: 0, recovered: true }])
    await server.stop()
    a.fail('ev_4')
    for (let times = 0; times < 2; times++) await a.kept.save()
    t.match(a.budget(), [{ failedEvents: 1 }])
    t.match(a.log.find('observations not kept'), [{ level: 40, err: { code: 'DATABASE_UNREACHABLE' } }])
    t.equal(a.log.find('observations not kept').length, 1)
    await server.start()
    for (const { kept } of [a, b]) await kept.save()
    for (const { budget } of [a, b]) t.match(budget(), [{ triesUsed: 1, failedEvents: 1, recovered: false }])
  })

  await t.test('a reset by one replica or a command is valid for all, and earlier counts never come back', async (t) => {
    const { replica, schema } = await makeFleet(t, server)
    const [a, b] = [await replica('a'), await replica('b')]
    a.meet('ev_1')
    for (const { kept } of [a, b]) await kept.save()
    t.strictSame(b.counts(), [1])
    b.kept.resetDrift()
    t.strictSame(b.counts(), [])
    await b.kept.save()
    t.strictSame(b.counts(), [], 'the reset holds before the other replica hears of it')
    a.meet('ev_2')
    await a.kept.save()
    t.strictSame(a.counts(), [], 'drift seen by the other replica before it hears of the reset is dropped too')
    t.match(a.log.find('drift reset'), [{ level: 30 }])
    a.meet('ev_3')
    for (const { kept } of [a, b]) await kept.save()
    t.strictSame(b.counts(), [1])
    const run = async (...args: readonly string[]) => {
      const { stdout, run } = createHarness({ environment: { JOURNAL: server.url, JOURNAL_SCHEMA: schema }, directory: t.testdir({ data: {} }) })
      return { code: await run(...args), text: stdout.text }
    }
    t.match(await run('drift', '--json'), { code: 0, text: /"eventType":"made.up".*"count":1/ })
    t.match(await run('drift', 'reset'), { code: 0, text: /Drift is forgotten/ })
    t.match(await run('drift', '--json'), { code: 0, text: /^$/ })
    for (const { kept } of [a, b]) await kept.save()
    t.strictSame([a.counts(), b.counts()], [[], []])
  })

  await t.test('the leader merges the rows of replicas that are gone into one row, and counts nothing twice', async (t) => {
    const { replica, leader, rows } = await makeFleet(t, server)
    const [a, b, c] = [await replica('a'), await replica('b'), await replica('c')]
    for (const { meet, kept } of [a, b, c]) {
      meet('ev_1')
      await kept.save()
    }
    const cameAt = a.cameAt()
    await a.live(false)
    await b.kept.save()
    t.equal((await rows()).length, 4, 'without a leader, no rows are merged')
    leader.name = 'b'
    await b.kept.save()
    t.equal((await rows()).length, 3)
    await c.live(false)
    await b.kept.save()
    t.equal((await rows()).length, 2)
    t.strictSame(b.counts(), [3])
    const d = await replica('d')
    await d.kept.save()
    t.strictSame(d.counts(), [3])
    t.ok((d.cameAt() ?? 0) >= (cameAt ?? Infinity), 'the time of the last event is shared too')
    // The replica was frozen for long, and continues.
    await c.live(true)
    c.meet('ev_2')
    await c.kept.save()
    c.meet('ev_3')
    for (const { kept } of [c, b]) await kept.save()
    t.strictSame([c.counts(), b.counts()], [[4], [4]])
  })

  await t.test('a row that cannot be read counts for nothing, and is reported once', async (t) => {
    const { replica, schema } = await makeFleet(t, server)
    const a = await replica('a')
    await server.query(`INSERT INTO ${schema}.observations VALUES ('newer', '{"version":99}', 0)`)
    a.meet('ev_1')
    for (let times = 0; times < 3; times++) await a.kept.save()
    t.strictSame(a.counts(), [1])
    t.equal(a.log.find('observations of a replica not readable: left out').length, 1)
  })

  await t.test('a webhook is switched on once an hour, whichever replica does it', async (t) => {
    const { schema } = await makeFleet(t, server)
    const [a, b] = [createSharedSwitchOnLimit({ url: server.url, schema }), createSharedSwitchOnLimit({ url: server.url, schema })]
    const taken = await Promise.all([a, b, a, b].map(async (limit) => await limit.take('wh_1')))
    t.strictSame(taken.filter(({ ok }) => ok).length, 1)
    t.match(await b.take('wh_1'), { ok: false, reason: /within the last hour/ })
    t.match(await b.take('wh_2'), { ok: true })
    await server.query(`UPDATE ${schema}.switched_on SET at = at - 3600000`)
    t.match(await b.take('wh_1'), { ok: true })
    const away = createSharedSwitchOnLimit({ url: server.url.replace(/:\d+\//, ':1/'), schema })
    t.match(await away.take('wh_3'), { ok: false, reason: /cannot be noted in the database/ })
  })

  await t.test('services together ask Voucherify once and switch on once, share expected events, and each shows the same', async (t) => {
    const api = await fakeManagementApi(t, { webhooks: [fakeWebhook('wh_1', { active: false, events: TIER_EVENTS })] })
    const environment = {
      ...signed, ...asking(api), JOURNAL: server.url, JOURNAL_SCHEMA: 'services', FORWARDERS: 'log', VOUCHERIFY_REENABLE: 'true', EXPECT_EVENT_WITHIN: '*=15s'
    }
    const start = async (name: string): Promise<BuiltService & { readonly api: (path: string, method?: 'GET' | 'POST') => Promise<Answer> }> => {
      const port = await freePort()
      const service = await buildService(t, { ...environment, REPLICA_NAME: name, ADMIN_PORT: String(port) })
      return {
        ...service,
        api: async (path, method = 'GET') => await (await request(`http://127.0.0.1:${port}${path}`, { method, ...method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {} })).body.json() as Answer
      }
    }
    const [one, two] = [await start('one'), await start('two')]
    await eventuallyTrue(() => one.log.find('webhook switched on by the watchdog').length > 0, 'the webhook to be switched on')
    t.match(await eventually(async () => {
      const status = await two.api('/api/webhook-status')
      return status.checks.length > 0 ? status : undefined
    }, 'the status checks of the leading replica'), { watching: true, switchedOnCount: 1, switchedOn: [{ webhookId: 'wh_1' }] })
    // Events go to the replica that does not lead. The others learn late about events that are expected so often.
    const event = (index: number): object => ({ ...sampleEnvelope('customer.loyalty.tier.upgraded', { index, now: new Date() }), more: true })
    for (let index = 0; index < 18; index++) {
      t.equal((await two.post('/webhooks', event(index))).status, 202)
      await pause(1000)
    }
    t.strictSame([one, two].map(({ log }) => log.find('expected event does not come').length), [0, 0])
    t.match((await one.api('/api/missing-events')).expectations, [{ missing: false, lastAt: String }])
    t.match(await eventually(async () => {
      const { differences } = await one.api('/api/drift')
      return differences.some(({ pointer, count }) => pointer === '/more' && count === 18) ? differences : undefined
    }, 'drift seen by the other replica'), Array)
    await eventuallyTrue(() => one.log.find('expected event does not come').length > 0, 'an alarm')
    t.strictSame([one, two].map(({ log }) => log.find('expected event does not come').length > 0), [true, false])
    t.equal(two.log.find('webhook switched on by the watchdog').length, 0)
    t.equal(api.requests.filter(({ method }) => method === 'PUT').length, 1)
    t.strictSame(two.log.find('webhook status ok'), [], 'a replica that does not lead sends no requests to Voucherify')

    await one.close()
    await eventuallyTrue(() => two.log.find('upkeep led here').length === 1 && two.log.find('webhook status ok').length > 0, 'a new leader that checks the status')
    t.match((await two.api('/api/forwarders')).forwarders.map(({ name }) => name), ['log'], 'the upkeep is not listed as a forwarder')
  })
})
