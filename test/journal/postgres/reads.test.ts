import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { openDatabase } from '../../../src/journal/postgres/database.js'
import { createReads } from '../../../src/journal/postgres/reads.js'
import { migrate } from '../../../src/journal/postgres/schema.js'
import { captureLog } from '../../support/capture-log.js'
import { noPostgres, startPostgres } from '../../support/postgres-server.js'
import { hookQueries } from '../../support/query-hook.js'
import { startTcpProxy } from '../../support/tcp-proxy.js'

const LANES = 1500
/** About the delay of a database in the next region, in milliseconds. */
const ROUND_TRIP_MS = 5

t.test('reads of feeds', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  const schema = 'reads'
  const database = openDatabase({ url: server.url, schema, connections: 2 })
  t.teardown(database.close)
  await migrate(database, schema)

  await t.test('the marks of many customers are read in time, also from a distant database', async (t) => {
    await server.query('INSERT INTO reads.forwarders (name, cursor, began, added_at) VALUES (\'a\', 0, 0, 0)')
    await server.query(`INSERT INTO reads.waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
      SELECT 'a', 0, n, 'cust_' || n % ${LANES}, 1, 0, 0, 0 FROM generate_series(1, ${3 * LANES}) n`)
    const queries = hookQueries({
      async query ({ send }) {
        await pause(ROUND_TRIP_MS)
        return await send()
      },
      connecting: () => {}
    })
    t.teardown(queries.unhook)
    const { readLanes } = createReads(database, captureLog().logger)
    const lanes = Array.from({ length: LANES }, (_each, index) => ({ lane: `cust_${index}`, after: { replay: 0, sequence: index === 7 ? 7 : 0 } }))
    const marks = await readLanes('a', 'first', lanes, 2)
    t.equal(marks.length, 2 * LANES)
    t.strictSame(marks.filter(({ lane }) => lane === 'cust_7').map(({ sequence }) => sequence), [LANES + 7, 2 * LANES + 7], 'each lane is read from after its own position, in order')
    t.strictSame(await readLanes('a', 'first', [], 2), [])
  })

  await t.test('a name that led to a standby is looked up again, also by connections that only read', async (t) => {
    const standby = await startPostgres(t, { standbyOf: server })
    const proxy = await startTcpProxy(t, standby.port)
    const reading = openDatabase({ url: server.url.replace(String(server.port), String(proxy.port)), schema, connections: 1 })
    t.teardown(reading.close)
    const look = async () => await reading.query('SELECT reads.timeline() AS timeline')
    await t.rejects(look(), { code: 'DATABASE_READ_ONLY' })
    // The open connection still leads to the standby.
    proxy.leadTo(server.port)
    t.match(await look(), [{ timeline: '00000001' }])
  })
})
