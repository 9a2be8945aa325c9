import { STATE } from '../record.js'
import { DatabaseError, quoted, type Database, type Query } from './database.js'
import { acceptFunctions, appendFunction, forwardFunctions, saveFunction, upkeepFunction } from './functions.js'

/** How long a start waits for another replica's migration, in milliseconds. */
const MIGRATION_MS = 30_000
const OLDEST_SERVER = 140_000

/**
 * The migrations, one for each schema version. A released migration is never changed. A migration only adds, if other replicas may still need
 * the old shape. A changed function gets another number in its name, so that replicas of two versions can work together.
 *
 * The third migration made `append_2`, and the first one `save_1`, which replicas of those versions still call.
 *
 * The tables have the columns of the SQLite journal. The differences:
 * - `counters`: the last sequence, and the number of the last replay. Numbers are drawn under the journal's lock, so that they become visible in
 *   their order.
 * - `refused`: ids that were answered 503, and ids of copies. A delivery that arrives with one of them is not stored.
 * - `members`: replicas that forward, with the time until which they lead. `seen_at` is when a replica that accepts last committed.
 * - `forwarders.holder`, `token`: the replica that leads the forwarder, and its term. `timeline`: the server's timeline when the term began.
 *   After a failover no term goes on.
 * - `forwarders.home`: the name of the only replica that may lead the forwarder.
 * - `observations`: what each replica has observed about the sender, by the replica's id, as JSON. The row with an empty id holds the
 *   observations of replicas that are gone. `resets`: the number of the last reset of drift (in `counters`) when the drift was counted.
 * - `switched_on`: when a webhook was switched on at the sender.
 * - `leases`: work that one replica does for all. It is led like a forwarder.
 *
 * All times are by the database's clock, in milliseconds.
 */
const migrations: ReadonlyArray<(s: string, lz4: boolean) => string> = [(s, lz4) => `
  CREATE TABLE ${s}.counters (name text PRIMARY KEY, value bigint NOT NULL);
  INSERT INTO ${s}.counters VALUES ('sequence', 0), ('replay', 0);
  CREATE TABLE ${s}.deliveries (
    sequence bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    received_at bigint NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    verdict text NOT NULL,
    hold smallint NOT NULL,
    source_object text,
    source_id text,
    event_id text,
    project_id text,
    customer_id text,
    campaign_id text,
    duplicates integer NOT NULL DEFAULT 0,
    faults text,
    headers text NOT NULL,
    body_bytes integer NOT NULL,
    event_start integer,
    event_end integer,
    checksum bigint NOT NULL,
    raw_body bytea ${lz4 ? 'COMPRESSION lz4' : ''} NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
  CREATE INDEX deliveries_held ON ${s}.deliveries (hold, sequence) WHERE hold <> ${STATE.accepted};
  CREATE TABLE ${s}.dedupe_keys (
    key text COLLATE "C" PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    verdict text NOT NULL,
    sequence bigint NOT NULL,
    received_at bigint NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0.02);
  CREATE INDEX dedupe_keys_age ON ${s}.dedupe_keys (received_at);
  CREATE TABLE ${s}.refused (id text COLLATE "C" PRIMARY KEY, at bigint NOT NULL);
  CREATE TABLE ${s}.members (id text PRIMARY KEY, name text NOT NULL, lease_until bigint NOT NULL, seen_at bigint NOT NULL) WITH (fillfactor = 50);
  CREATE TABLE ${s}.forwarders (
    name text COLLATE "C" PRIMARY KEY,
    cursor bigint NOT NULL,
    began bigint NOT NULL,
    position text,
    breaker text NOT NULL DEFAULT 'closed',
    added_at bigint NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    filter text,
    holder text,
    token bigint NOT NULL DEFAULT 0,
    timeline text NOT NULL DEFAULT '',
    home text
  ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  CREATE TABLE ${s}.waiting (
    forwarder text COLLATE "C" NOT NULL,
    replay bigint NOT NULL,
    sequence bigint NOT NULL,
    lane text,
    attempt integer NOT NULL,
    waited_ms bigint NOT NULL,
    delay_ms bigint NOT NULL,
    due_at bigint NOT NULL,
    reason text,
    behind boolean NOT NULL DEFAULT false,
    PRIMARY KEY (forwarder, replay, sequence)
  ) WITH (autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX waiting_sequence ON ${s}.waiting (sequence);
  CREATE INDEX waiting_lane ON ${s}.waiting (forwarder, lane, replay, sequence) WHERE lane IS NOT NULL;
  CREATE INDEX waiting_due ON ${s}.waiting (forwarder, due_at, sequence) WHERE NOT behind AND replay = 0;
  CREATE INDEX waiting_due_replays ON ${s}.waiting (forwarder, due_at, replay, sequence) WHERE NOT behind AND replay > 0;
  CREATE TABLE ${s}.dead_letters (
    forwarder text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    died_at bigint NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (forwarder, sequence)
  );
  CREATE INDEX dead_letters_sequence ON ${s}.dead_letters (sequence);
  CREATE TABLE ${s}.attempts (
    number bigint GENERATED ALWAYS AS IDENTITY,
    sequence bigint NOT NULL,
    forwarder text COLLATE "C" NOT NULL,
    replay bigint NOT NULL,
    attempt integer NOT NULL,
    started_at bigint NOT NULL,
    duration_ms double precision NOT NULL,
    outcome text NOT NULL,
    detail text
  );
  CREATE INDEX attempts_sequence ON ${s}.attempts (sequence);
  CREATE INDEX attempts_replay ON ${s}.attempts (replay) WHERE replay > 0;
  CREATE TABLE ${s}.replays (number bigint PRIMARY KEY, requested_at bigint NOT NULL, kind text NOT NULL, description text NOT NULL);
  CREATE FUNCTION ${s}.now_ms () RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;
  ${acceptFunctions(s)}
  ${forwardFunctions(s)}
`, (s) => `
  CREATE TABLE ${s}.leases (name text PRIMARY KEY, holder text, token bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
  INSERT INTO ${s}.leases (name) VALUES (':upkeep');
  CREATE TABLE ${s}.observations (id text PRIMARY KEY, text text, resets bigint NOT NULL) WITH (fillfactor = 50);
  INSERT INTO ${s}.observations VALUES ('', NULL, 0);
  INSERT INTO ${s}.counters VALUES ('drift', 0);
  CREATE TABLE ${s}.switched_on (webhook text PRIMARY KEY, at bigint NOT NULL);
  ${upkeepFunction(s)}
`, appendFunction, appendFunction, saveFunction]

export const SCHEMA_VERSION = migrations.length

/**
 * Makes the schema, or migrates it to this version, in one transaction. Replicas that start at the same time do this one after another.
 * @throws {DatabaseError} if the server, the database or the schema cannot be used
 */
export async function migrate (database: Database, schema: string): Promise<void> {
  await checkServer(database.query)
  const { schema: s } = database
  await database.transaction(async (query) => {
    await query(`SELECT set_config('lock_timeout', '${MIGRATION_MS}', true)`)
    await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [`tierhook ${schema}`])
    const version = await schemaVersion(query, schema)
    if (version === SCHEMA_VERSION) return
    const [{ lz4 } = { lz4: false }] = await query<{ lz4: boolean }>("SELECT 'lz4' = ANY (enumvals) AS lz4 FROM pg_settings WHERE name = 'default_toast_compression'")
    if (version === 0) {
      await query(`CREATE SCHEMA IF NOT EXISTS ${s}`)
      await query(`CREATE TABLE ${s}.version (number integer NOT NULL)`)
      await query(`INSERT INTO ${s}.version VALUES (0)`)
      await query(await timelineFunction(query, s))
    }
    for (const migration of migrations.slice(version)) await query(migration(s, lz4))
    await query(`UPDATE ${s}.version SET number = $1`, [SCHEMA_VERSION])
  })
}

/** Returns the schema's version; 0 if there is no schema. */
export async function schemaVersion (query: Query, schema: string): Promise<number> {
  const found = await query<{ name: string }>('SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND relkind = \'r\'', [schema])
  if (found.length === 0) return 0
  if (!found.some(({ name }) => name === 'version') || !found.some(({ name }) => name === 'dedupe_keys')) {
    throw new DatabaseError('DATABASE_UNFIT', `The schema ${schema} of the database holds tables that tierhook has not made: name another one in JOURNAL_SCHEMA`)
  }
  const [row] = await query<{ number: number }>(`SELECT number FROM ${quoted(schema)}.version`)
  if (found.some(({ name }) => name === 'moving')) throw new DatabaseError('DATABASE_UNFIT', `The schema ${schema} is being moved, or a move of it was stopped: run "tierhook move" to its end`)
  const version = row?.number ?? 0
  if (version <= SCHEMA_VERSION) return version
  throw new DatabaseError('DATABASE_UNFIT', `The schema ${schema} has version ${version}, and this tierhook knows versions up to ${SCHEMA_VERSION}: start the newer tierhook that made it`)
}

/** @throws {DatabaseError} if the server cannot be used */
export async function checkServer (query: Query): Promise<void> {
  const [row] = await query<{ number: number, version: string, encoding: string, replica: boolean, readonly: string, isolation: string, role: string }>(`SELECT current_setting('server_version_num')::int AS number,
    current_setting('server_version') AS version, current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS replica, current_setting('transaction_read_only') AS readonly,
    current_setting('default_transaction_isolation') AS isolation, current_user AS role`)
  if (row === undefined) return
  if (row.number < OLDEST_SERVER) throw new DatabaseError('DATABASE_UNFIT', `JOURNAL names PostgreSQL ${row.version}: tierhook needs 14 or newer`)
  if (row.replica) throw new DatabaseError('DATABASE_UNFIT', 'JOURNAL names a read replica, which stores nothing: name the primary server')
  if (row.readonly === 'on') throw new DatabaseError('DATABASE_UNFIT', 'JOURNAL names a database that may only be read (default_transaction_read_only): let tierhook\'s user write to it')
  if (row.isolation !== 'read committed') {
    throw new DatabaseError('DATABASE_UNFIT', `JOURNAL names a database whose transactions are ${row.isolation}, in which replicas fail each other's: ALTER ROLE ${row.role} SET default_transaction_isolation = 'read committed'`)
  }
  if (row.encoding !== 'UTF8') throw new DatabaseError('DATABASE_UNFIT', `JOURNAL names a database in the encoding ${row.encoding}: make one in UTF8`)
}

/**
 * Makes the function that identifies the server among successive primaries. A server that does not tell its timeline has no standby that takes
 * over automatically.
 */
async function timelineFunction (query: Query, s: string): Promise<string> {
  await query('SAVEPOINT timeline')
  const told = await query('SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)').then(() => true, () => false)
  await query(told ? 'RELEASE timeline' : 'ROLLBACK TO timeline')
  return `CREATE FUNCTION ${s}.timeline () RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT ${told ? 'left(pg_walfile_name(pg_current_wal_lsn()), 8)' : "''::text"} $$`
}
