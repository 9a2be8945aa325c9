import t, { type Test } from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../src/delivery/clock.js'
import type { Feed, FeedOptions } from '../../../src/delivery/journal.js'
import { SCHEMA_VERSION } from '../../../src/journal/postgres/schema.js'
import { captureLog } from '../../support/capture-log.js'
import { eventually, eventuallyTrue } from '../../support/eventually.js'
import { createPostgresJournal, type PostgresJournal } from '../../support/postgres-journal.js'
import { freePort, noPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { startTcpProxy } from '../../support/tcp-proxy.js'

const DAY_MS = 86_400_000
const LEASE_MS = 2000
const FORWARDERS = ['one', 'two', 'three']
let schemas = 0

interface Led {
  readonly feed: Feed
  readonly events: string[]
}

/** Replicas with their own schema. */
function makeFleet (t: Test, server: PostgresServer, { atHome = [], clockOf = () => systemClock.monotonic }: { readonly atHome?: readonly string[], readonly clockOf?: (name: string) => () => number } = {}) {
  const schema = `leading_${++schemas}`
  async function replica (name: string, url = server.url): Promise<PostgresJournal> {
    const { logger } = captureLog()
    const journal = createPostgresJournal({
      url,
      schema,
      name,
      logger,
      clock: { ...systemClock, monotonic: clockOf(name) },
      dedupeWindowMs: 7 * DAY_MS,
      retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 },
      forwarders: FORWARDERS,
      atHome,
      leaseMs: LEASE_MS
    })
    t.teardown(async () => { await journal.close() })
    await journal.start()
    return journal
  }
  return { schema, replica, sql: async <T>(text: string) => await server.query<T>(text.replaceAll('{s}', schema)) }
}

function lead (journal: PostgresJournal, forwarder: string, options: Partial<FeedOptions> = {}): { readonly led: Promise<Led>, readonly isLed: () => boolean } {
  const events: string[] = []
  let isLed = false
  const led = journal.openFeed({
    forwarder, order: 'none', start: 'beginning', onWork: () => {}, onLost: (how) => { events.push(how) }, onPaused: (paused) => { events.push(paused ? 'paused' : 'resumed') }, ...options
  }).then((feed) => {
    isLed = true
    return { feed, events }
  })
  led.catch(() => undefined)
  return { led, isLed: () => isLed }
}

t.test('forwarders of several replicas', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)

  await t.test('each forwarder is led by one replica, and by another one after that has gone', async (t) => {
    const { replica } = makeFleet(t, server)
    const [first, second] = [await replica('first'), await replica('second')]
    await first.append(sampleNewDelivery({ index: 1 }))
    const { feed } = await lead(first, 'one').led
    const waiting = lead(second, 'one')
    const { claims } = await feed.claim(1)
    await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
    t.equal(waiting.isLed(), false)
    const { id } = await second.append(sampleNewDelivery({ index: 2 }))
    await first.close()
    const next = await waiting.led
    t.strictSame((await next.feed.claim(5)).claims.map(({ delivery }) => delivery.id), [id], 'the new leader continues at the first one\'s position')
  })

  await t.test('two replicas share the forwarders, and none is taken from a replica that has no more than its share', async (t) => {
    const { replica } = makeFleet(t, server)
    const first = await replica('first')
    const mine = await Promise.all(FORWARDERS.map(async (name) => await lead(first, name).led))
    const second = await replica('second')
    const others = FORWARDERS.map((name) => lead(second, name))
    await eventuallyTrue(() => mine.some(({ events }) => events.includes('yield')), 'a forwarder to be given up')
    t.equal(mine.filter(({ events }) => events.length > 0).length, 1)
    const yielded = mine.findIndex(({ events }) => events.includes('yield'))
    await mine[yielded]?.feed.close()
    await others[yielded]?.led
    await pause(1500)
    t.strictSame(others.map(({ isLed }) => isLed()), FORWARDERS.map((_name, index) => index === yielded))
  })

  await t.test('a forwarder above a replica\'s share that it could not give up is free for other replicas', async (t) => {
    const { replica, sql } = makeFleet(t, server)
    const proxy = await startTcpProxy(t, server.port)
    const first = await replica('first', server.url.replace(String(server.port), String(proxy.port)))
    const mine = await Promise.all(FORWARDERS.map(async (name) => await lead(first, name).led))
    await sql("INSERT INTO {s}.members VALUES ('other', 'other', {s}.now_ms() + 100000, 0)")
    proxy.leadTo(await freePort())
    proxy.drop()
    await eventuallyTrue(() => mine.every(({ events }) => events.includes('lost')), 'all terms to be lost')
    for (const { feed } of mine) await feed.close()
    const again = FORWARDERS.map((name) => lead(first, name))
    t.match(await sql('SELECT DISTINCT token::int, holder IS NULL AS free FROM {s}.forwarders'), [{ token: 1, free: false }], 'no term was given up in the database')
    proxy.leadTo(server.port)
    await eventuallyTrue(() => again.filter(({ isLed }) => isLed()).length === 2, 'the replica to lead its share')
    await eventually(async () => (await sql('SELECT 1 FROM {s}.forwarders WHERE holder IS NULL')).length === 1 || undefined, 'a forwarder to be free')
    t.strictSame((await Promise.all(again.filter(({ isLed }) => isLed()).map(async ({ led }) => await led))).map(({ events }) => events), [[], []])
  })

  await t.test('a replica that is frozen for longer than its lease hands out nothing more, and its settlements are not stored', async (t) => {
    let stoppedMs = 0
    const { replica, sql } = makeFleet(t, server, { clockOf: (name) => () => systemClock.monotonic() + (name === 'first' ? stoppedMs : 0) })
    const first = await replica('first')
    await first.append(sampleNewDelivery({ index: 1 }))
    const { feed, events } = await lead(first, 'one').led
    const { claims } = await feed.claim(1)
    stoppedMs = 60_000
    t.strictSame((await feed.claim(1)).claims, [], 'a frozen replica checks its lease before it hands out a delivery')
    await t.rejects(feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } }))))
    t.strictSame(events, ['lost'])
    t.match(await sql('SELECT cursor::int FROM {s}.forwarders'), [{ cursor: 0 }])
    t.equal((await first.append(sampleNewDelivery({ index: 2 }))).status, 'stored', 'the replica still accepts events')
    const again = await lead(first, 'one').led
    t.equal((await again.feed.claim(5)).claims.length, 2)
  })

  await t.test('the database itself refuses the progress of an earlier term, and of another server', async (t) => {
    const { replica, sql } = makeFleet(t, server)
    const first = await replica('first')
    await first.append(sampleNewDelivery())
    for (const change of ['token = token + 1', "timeline = 'another'"]) {
      const { feed, events } = await lead(first, 'one').led
      const { claims } = await feed.claim(1)
      await sql(`UPDATE {s}.forwarders SET ${change}`)
      await t.rejects(feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } }))))
      await eventuallyTrue(() => events.includes('lost'), 'the term to end')
      await feed.close()
    }
    t.match(await sql('SELECT cursor::int FROM {s}.forwarders'), [{ cursor: 0 }])
  })

  await t.test('a file forwarder is led only by its home', async (t) => {
    const { replica, sql } = makeFleet(t, server, { atHome: ['one'] })
    const [first, second] = [await replica('first'), await replica('second')]
    const { feed } = await lead(first, 'one').led
    await feed.close()
    t.match(await sql('SELECT home FROM {s}.forwarders'), [{ home: 'first' }])
    const away = lead(second, 'one')
    const other = lead(second, 'two')
    await other.led
    await pause(1500)
    t.equal(away.isLed(), false, 'no replica but its home leads a file forwarder')
    await lead(first, 'one').led
  })

  await t.test('a pause through any replica reaches the leader', async (t) => {
    const { replica, sql } = makeFleet(t, server)
    const first = await replica('first')
    const { events } = await lead(first, 'one').led
    await sql('UPDATE {s}.forwarders SET paused = true')
    await eventuallyTrue(() => events.includes('paused'), 'the pause')
    await sql('UPDATE {s}.forwarders SET paused = false')
    await eventuallyTrue(() => events.includes('resumed'), 'the end of the pause')
    t.strictSame(events, ['paused', 'resumed'])
  })

  await t.test('five replicas that start at once create one schema', async (t) => {
    const { replica, sql } = makeFleet(t, server)
    const replicas = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async (name) => await replica(name)))
    t.strictSame(await sql('SELECT number FROM {s}.version'), [{ number: SCHEMA_VERSION }])
    const copies = await Promise.all(replicas.map(async (journal) => await journal.append(sampleNewDelivery({ dedupeKey: 'same' }))))
    t.equal(copies.filter(({ status }) => status === 'stored').length, 1)
  })

  await t.test('a replica with the name of a running one is refused, and one that comes back after a crash or an end is not', async (t) => {
    const { replica, sql } = makeFleet(t, server)
    const first = await replica('same')
    await t.rejects(replica('same'), { code: 'REPLICA_NAME_TAKEN', message: /^A replica that runs is called same too: set REPLICA_NAME/ })
    await first.close()
    const startedAt = performance.now()
    const second = await replica('same')
    t.ok(performance.now() - startedAt < 2000, 'a replica that was closed does not delay the next one')
    await second.close()
    await sql("INSERT INTO {s}.members VALUES ('killed', 'same', 0, {s}.now_ms())")
    await replica('same')
    t.ok(performance.now() - startedAt < 6000, 'a crashed replica is not taken for a running one')
  })

  await t.test('replicas that start at once on an older schema migrate it once, and functions of the older release stay', async (t) => {
    const { replica, sql } = makeFleet(t, server)
    await (await replica('old')).close()
    await sql('DROP TABLE {s}.leases, {s}.observations, {s}.switched_on; DROP FUNCTION {s}.pulse_2; DELETE FROM {s}.counters WHERE name = \'drift\'; UPDATE {s}.version SET number = 1')
    const replicas = await Promise.all(['a', 'b', 'c'].map(async (name) => await replica(name)))
    t.strictSame(await sql('SELECT number FROM {s}.version'), [{ number: SCHEMA_VERSION }])
    t.match(await sql("SELECT {s}.pulse_1('old', 'old') > 0 AS pulsed"), [{ pulsed: true }])
    t.equal(replicas.filter((journal) => journal.leadsUpkeep()).length, 1)
  })

  await t.test('an append that waits for a lock is refused in time, and is not stored later', async (t) => {
    const { replica, sql, schema } = makeFleet(t, server)
    const first = await replica('first')
    const lock = server.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('tierhook ' || '"${schema}"', 0)); SELECT pg_sleep(6)`)
    await pause(200)
    const startedAt = performance.now()
    await t.rejects(first.append(sampleNewDelivery()), { code: 'JOURNAL_UNAVAILABLE', status: 503 })
    t.ok(performance.now() - startedAt < 5000)
    await lock
    t.equal((await first.append(sampleNewDelivery())).status, 'stored')
    t.strictSame(await sql('SELECT count(*)::int AS n FROM {s}.deliveries'), [{ n: 1 }])
  })

  await t.test('a read-only database, or one with another encoding, is refused with a message', async (t) => {
    const { logger } = captureLog()
    const start = async (database: string): Promise<void> => {
      const journal = createPostgresJournal({ url: server.url.replace(/postgres$/, database), schema: 'x', logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: DAY_MS, maxBytes: 0 } })
      t.teardown(async () => { await journal.close() })
      await journal.start()
    }
    await server.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    await server.query('CREATE DATABASE reading')
    await server.query('ALTER DATABASE reading SET default_transaction_read_only = on')
    await t.rejects(start('latin'), { code: 'DATABASE_UNFIT', message: /in the encoding LATIN1: make one in UTF8/ })
    await t.rejects(start('reading'), { code: 'DATABASE_UNFIT', message: /may only be read/ })
    await server.query('CREATE DATABASE repeating')
    await server.query("ALTER DATABASE repeating SET default_transaction_isolation = 'repeatable read'")
    await t.rejects(start('repeating'), { code: 'DATABASE_UNFIT', message: /ALTER ROLE tierhook SET default_transaction_isolation = 'read committed'/ })
    await t.rejects(start('nowhere'), { code: 'DATABASE_REFUSES', message: /database "nowhere" does not exist/ })
  })
})
