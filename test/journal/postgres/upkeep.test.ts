import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/delivery/clock.js'
import type { AcceptEngine } from '../../../src/journal/engine.js'
import { openAcceptEngine } from '../../support/accept-engine.js'
import { captureLog, type CapturedLog } from '../../support/capture-log.js'
import { noPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server.js'
import { hookQueries } from '../../support/query-hook.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'

const LEASE_MS = 2000
const LIMITS = { now: 2e12, receivedBefore: 2e12, quarantinedBefore: 0, maxBytes: 0, keysBefore: 0, limit: 100, after: 0 }
let schemas = 0

interface Replica {
  readonly engine: AcceptEngine
  readonly leads: () => boolean
  readonly log: CapturedLog
}

/** Replicas that accept, with their own schema and without forwarders. */
function makeFleet (t: Test, server: PostgresServer) {
  const schema = `upkeep_${++schemas}`
  return async (name: string, monotonic = systemClock.monotonic): Promise<Replica> => {
    const log = captureLog()
    const engine = await openAcceptEngine(t, { url: server.url, schema, member: { id: randomUUID(), name }, logger: log.logger, clock: { ...systemClock, monotonic }, dedupeWindowMs: 1, leaseMs: LEASE_MS })
    return { engine, leads: () => engine.leadsUpkeep?.() ?? true, log }
  }
}

t.test('the upkeep of several replicas', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)

  await t.test('one replica leads the upkeep, and another one at once after that one is closed', async (t) => {
    const replica = makeFleet(t, server)
    const [first, second] = [await replica('first'), await replica('second')]
    await second.engine.probe()
    t.strictSame([first.leads(), second.leads()], [true, false])
    await first.engine.close(1000)
    await second.engine.probe()
    t.equal(second.leads(), true)
    t.match(second.log.find('upkeep led here'), [{ level: 30 }])
  })

  await t.test('many replicas that start at once agree on one leader', async (t) => {
    const replica = makeFleet(t, server)
    const replicas = await Promise.all(Array.from({ length: 6 }, async (_each, index) => await replica(String(index))))
    await Promise.all(replicas.map(async ({ engine }) => { await engine.probe() }))
    t.equal(replicas.filter(({ leads }) => leads()).length, 1)
  })

  await t.test('a replica that was frozen past its lease no longer leads, and continues without removing anything', async (t) => {
    let stoodMs = 0
    const replica = makeFleet(t, server)
    const first = await replica('first', () => systemClock.monotonic() + stoodMs)
    await first.engine.append([sampleNewDelivery()], 1000)
    stoodMs = LEASE_MS
    t.equal(first.leads(), false)
    stoodMs = 0
    t.equal(first.leads(), true)
    // Another replica has taken the lead meanwhile.
    await server.query(`INSERT INTO upkeep_${schemas}.members VALUES ('another', 'another', 0, 1e13)`)
    await server.query(`UPDATE upkeep_${schemas}.leases SET holder = 'another', token = token + 1`)
    t.match(await first.engine.prune(LIMITS), { removed: 0, next: undefined })
    await first.engine.probe()
    t.equal(first.leads(), false)
    await server.query(`DELETE FROM upkeep_${schemas}.members WHERE id = 'another'`)
    await first.engine.probe()
    t.match(await first.engine.prune(LIMITS), { removed: 1 })
  })
  await t.test('the size of the store is measured beside appends, however long that takes', async (t) => {
    const replica = makeFleet(t, server)
    const first = await replica('first')
    const { engine } = await replica('second')
    const append = async () => await engine.append([sampleNewDelivery()], 1000)
    await append()
    const during: unknown[] = []
    const queries = hookQueries({
      async query ({ text, send }) {
        if (/sum\(body_bytes/.test(text)) during.push(await append().catch((error: unknown) => error))
        return await send()
      },
      connecting: () => {}
    })
    t.teardown(queries.unhook)
    await first.engine.prune({ ...LIMITS, receivedBefore: 0, maxBytes: 1 })
    t.strictSame(during, [[2], [3], [4]])
  })
})
