import { Client } from 'pg'
import { parseFilter } from '../../src/forwarders/delivery-filter.js'
import { openDatabase } from '../../src/journal/postgres/database.js'
import { openPostgresOperator } from '../../src/journal/postgres/operator.js'
import { migrate } from '../../src/journal/postgres/schema.js'
import type { FakeTime } from '../support/fake-time.js'
import { createPostgresJournal } from '../support/postgres-journal.js'
import type { PostgresServer } from '../support/postgres-server.js'
import { hookQueries } from '../support/query-hook.js'
import type { ModelEngine, StoredRows } from './engine.js'
import { createPostgresProcess, type PostgresProcess } from './postgres-process.js'
import { queryFaults } from './query-faults.js'

const SCHEMA = 'model'
/** The server's own time, which nobody sets: it stands beside that of the model's process. */
const SERVER_START = Date.parse('2026-01-31T00:00:00Z')

/** Rows that a new store has: each run begins with them alone. */
const KEEP = `DO $$ DECLARE t text; BEGIN
  CREATE SCHEMA made;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '${SCHEMA}' LOOP EXECUTE format('CREATE TABLE made.%I AS TABLE ${SCHEMA}.%I', t, t); END LOOP;
END $$`
const EMPTY = `DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '${SCHEMA}' LOOP
    EXECUTE format('DELETE FROM ${SCHEMA}.%I', t);
    EXECUTE format('INSERT INTO ${SCHEMA}.%I OVERRIDING SYSTEM VALUE SELECT * FROM made.%I', t, t);
  END LOOP;
END $$`
const CLOCK = `CREATE TABLE made.clock (now bigint NOT NULL); INSERT INTO made.clock VALUES (0);
  CREATE OR REPLACE FUNCTION ${SCHEMA}.now_ms () RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT now FROM made.clock'`
const all = (columns: string, from: string): string => `(SELECT coalesce(json_agg(r), '[]') FROM (SELECT ${columns} FROM ${SCHEMA}.${from}) r)`
const STORED = `SELECT json_build_object(
  'lastSequence', (SELECT coalesce(max(sequence), 0) FROM ${SCHEMA}.deliveries WHERE hold = 0),
  'deliveries', ${all('sequence, id, hold, duplicates', 'deliveries ORDER BY sequence')},
  'forwarders', ${all('name, cursor, began, position', 'forwarders')},
  'waiting', ${all(`forwarder, sequence, replay, (SELECT kind FROM ${SCHEMA}.replays WHERE number = replay) AS kind`, 'waiting')},
  'dead', ${all('forwarder, sequence', 'dead_letters')}) AS stored`

export interface PostgresModelEngine extends ModelEngine {
  readonly close: () => Promise<void>
}

/** The engine on a real PostgreSQL server, whose clock goes with the model's. Time passes only where no statement is under way. */
export async function openPostgresEngine ({ url }: Pick<PostgresServer, 'url'>): Promise<PostgresModelEngine> {
  const own = new Client({ connectionString: url })
  await own.connect()
  const database = openDatabase({ url, schema: SCHEMA, connections: 1 })
  await migrate(database, SCHEMA)
  await database.close()
  await own.query(KEEP)
  await own.query(CLOCK)
  const processes = new Map<string, PostgresProcess>()
  let faults = queryFaults()
  let die: (tear: number) => void | Promise<void> = () => {}
  let time: FakeTime | undefined
  let told = 0
  let telling: Promise<unknown> = Promise.resolve()

  /** The server has the time that it is. */
  async function tell (): Promise<void> {
    const now = SERVER_START + (time?.monotonic() ?? 0)
    if (now !== told) {
      told = now
      telling = ask('UPDATE made.clock SET now = $1', [Math.floor(now)])
    }
    await telling
  }

  async function ask<T> (text: string, values: readonly unknown[]): Promise<readonly T[]> {
    return (await own.query(text, [...values])).rows as T[]
  }

  const queries = hookQueries({
    async query (query) {
      if (query.client === own) return await query.send()
      await tell()
      return await (processes.get(query.application)?.query(query) ?? query.send())
    },
    connecting (client, application) { processes.get(application)?.connecting(client) }
  })

  async function readStored (): Promise<StoredRows> {
    const [row] = await ask<{ stored: StoredRows }>(STORED, [])
    if (row === undefined) throw new Error('Nothing was read')
    return row.stored
  }

  return {
    leases: true,
    async prepare () { await own.query(EMPTY) },
    busy: queries.busy,

    create ({ log: { logger }, configured, time, dedupeWindowMs, retentionMs, ...options }) {
      const application = `process ${processes.size + 1}`
      const process = createPostgresProcess({ ...options, application, faults, queries, ask, die: (tear) => die(tear) })
      processes.set(application, process)
      const journal = createPostgresJournal({
        url: `${url}?application_name=${encodeURIComponent(application)}`,
        schema: SCHEMA,
        logger,
        clock: time,
        dedupeWindowMs,
        retention: { maxAgeMs: retentionMs, maxBytes: 0 },
        forwarders: [...configured, 'file'],
        atHome: ['file']
      })
      return {
        journal,
        endStore () { queries.working(process.disconnect()).catch((error: unknown) => { logger.fatal({ err: error }, 'the model failed') }) },
        kill: async () => await queries.working(process.kill().then(readStored))
      }
    },

    openOperator: () => openPostgresOperator({ url, schema: SCHEMA, judge: () => ({ verdict: 'valid', faults: [] }), parseFilter }),
    readStored,
    isStore: () => false,

    faults (given, clock) {
      die = given
      time = clock
      faults = queryFaults()
      return faults
    },

    async close () {
      queries.unhook()
      await own.end()
    }
  }
}
