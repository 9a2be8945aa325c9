import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/delivery/clock.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import { openAcceptEngine } from '../../support/accept-engine.js'
import { captureLog } from '../../support/capture-log.js'
import { noPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server.js'
import { hookQueries } from '../../support/query-hook.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'

const WITHIN_MS = 4000
let schemas = 0

async function makeStore (t: Test, server: PostgresServer) {
  const schema = `append_${++schemas}`
  const engine = await openAcceptEngine(t, { url: server.url, schema, member: { id: randomUUID(), name: 'one' }, logger: captureLog().logger, clock: systemClock, dedupeWindowMs: 86_400_000 })
  return { append: async (...deliveries: readonly NewDelivery[]) => await engine.append(deliveries, WITHIN_MS), sql: async <T>(text: string) => await server.query<T>(text.replaceAll('{s}', schema)) }
}

function eventOf (key: string, more: Partial<NewDelivery> = {}): NewDelivery {
  return sampleNewDelivery({ id: randomUUID(), dedupeKey: key, ...more })
}

t.test('appends of replicas', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)

  await t.test('a duplicate is counted once, although the connection is lost before the answer and the append is repeated', async (t) => {
    const { append, sql } = await makeStore(t, server)
    const [first, second] = [eventOf('first'), eventOf('second')]
    await append(first)
    let lost = 0
    const queries = hookQueries({
      async query ({ client, text, send }) {
        const answer = await send()
        if (text.includes('.append_') && lost++ === 0) {
          cut(client)
          throw new Error('Connection terminated unexpectedly')
        }
        return answer
      },
      connecting: () => {}
    })
    t.teardown(queries.unhook)
    const copy = { id: first.id, verdict: 'valid' }
    t.match(await append(eventOf('first'), second, eventOf('second'), eventOf('first')), [copy, 3, { id: second.id }, copy])
    lost = 0
    t.match(await append(eventOf('first')), [copy], 'a repeated append of a duplicate is answered as a duplicate, although it stored nothing')
    t.equal(lost, 2)
    t.strictSame(await sql('SELECT id, duplicates FROM {s}.deliveries ORDER BY sequence'), [{ id: first.id, duplicates: 3 }, { id: second.id, duplicates: 1 }])
  })

  await t.test('several hundred duplicates at once are answered in time', async (t) => {
    const { append, sql } = await makeStore(t, server)
    const headers = { 'content-type': 'application/json', 'x-long': 'x'.repeat(1000) }
    const copies = Array.from({ length: 512 }, () => eventOf('same', { headers }))
    const results = await append(...copies)
    t.strictSame(results, [1, ...Array.from({ length: 511 }, () => ({ id: copies[0]?.id, verdict: 'valid' }))])
    t.strictSame(await sql('SELECT duplicates FROM {s}.deliveries'), [{ duplicates: 511 }])
  })

  await t.test('the first of several duplicates that is not refused becomes the event', async (t) => {
    const { append, sql } = await makeStore(t, server)
    const copies = Array.from({ length: 5 }, () => eventOf('same'))
    for (const index of [0, 2]) await sql(`INSERT INTO {s}.refused VALUES ('${copies[index]?.id}', {s}.now_ms())`)
    const copy = { id: copies[1]?.id, verdict: 'valid' }
    t.strictSame(await append(...copies), [undefined, 2, copy, copy, copy])
  })
})

function cut (client: Client): void {
  (client as unknown as { readonly connection: { readonly stream: { readonly destroy: () => void } } }).connection.stream.destroy()
}
