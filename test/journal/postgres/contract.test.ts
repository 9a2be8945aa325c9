import { Client } from 'pg'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/delivery/clock.js'
import { captureLog } from '../../support/capture-log.js'
import { createPostgresJournal } from '../../support/postgres-journal.js'
import { noPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server.js'
import { journalContract, type JournalUnderTest } from '../contract/journal-contract.js'

const DAY_MS = 86_400_000
const FORWARDERS = ['contract', 'none', 'customer', 'arrival', 'now', 'beginning', 'other', 'another']

let schemas = 0

function underTest (server: PostgresServer, t: Test): JournalUnderTest {
  const schema = `contract_${++schemas}`
  let blocker: Client | undefined
  return {
    dedupeWindowMs: 7 * DAY_MS,
    async open () {
      const { logger } = captureLog()
      const journal = createPostgresJournal({
        url: server.url, schema, logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, forwarders: FORWARDERS
      })
      t.teardown(async () => { await journal.close() })
      await journal.start()
      return journal
    },
    async replay (forwarder, sequences) {
      await server.query(`WITH number AS (UPDATE ${schema}.counters SET value = value + 1 WHERE name = 'replay' RETURNING value),
        replay AS (INSERT INTO ${schema}.replays (number, requested_at, kind, description) SELECT value, 1, 'replay', 'contract' FROM number)
        INSERT INTO ${schema}.waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
        SELECT $1, value, sequence, customer_id, 1, 0, 0, 0 FROM ${schema}.deliveries, number WHERE sequence = ANY ($2::bigint[])`, [forwarder, sequences])
    },
    async deadLetters (forwarder) {
      const rows = await server.query<{ id: string }>(`SELECT id FROM ${schema}.dead_letters JOIN ${schema}.deliveries USING (sequence) WHERE forwarder = $1`, [forwarder])
      return rows.map(({ id }) => id)
    },
    async removeDelivery (id) { await server.query(`DELETE FROM ${schema}.deliveries WHERE id = $1`, [id]) },
    async breakDisk (broken) {
      // A lock that is not released keeps the journal from committing, like a full disk.
      if (broken) {
        blocker = new Client({ connectionString: server.url })
        await blocker.connect()
        await blocker.query(`BEGIN; LOCK TABLE ${schema}.forwarders, ${schema}.counters`)
      } else await blocker?.end()
    }
  }
}

t.test('the contract of a journal', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  await t.test('in PostgreSQL', (t) => {
    journalContract(t, async (t) => underTest(server, t))
    t.end()
  })
})
