import t from 'tap'
import { noPostgres, startPostgres } from '../support/postgres-server.js'
import { freePort } from '../forwarders/http/support/servers.js'
import { createHarness } from './harness.js'

t.test('the shared journal is tried, and each problem is described in a sentence', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  await server.query("CREATE ROLE hunter LOGIN PASSWORD 'hunter2'")
  for (const name of ['fine', 'reading', 'old', 'theirs']) await server.query(`CREATE DATABASE ${name}`)
  await server.query('ALTER DATABASE reading SET default_transaction_read_only = on')
  const inside = async (database: string, text: string) => await server.query(text, [], database)
  // No older server is available here, so this one only claims to be older.
  await inside('old', `CREATE SCHEMA past; CREATE FUNCTION past.current_setting (name text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE name WHEN 'server_version_num' THEN '130014' WHEN 'server_version' THEN '13.14' ELSE pg_catalog.current_setting(name) END $$`)
  await server.query('ALTER DATABASE old SET search_path = past, pg_catalog')
  await inside('theirs', 'CREATE SCHEMA tierhook; CREATE TABLE tierhook.version (number int); GRANT USAGE, CREATE ON SCHEMA tierhook TO hunter')
  const standby = await startPostgres(t, { standbyOf: server })

  async function check (JOURNAL: string, ...args: readonly string[]) {
    const { stdout, stderr, run } = createHarness({ directory: t.testdir(), environment: { FORWARDERS: 'log', JOURNAL } })
    const code = await run('check', ...args)
    return { code, text: stdout.text, all: stdout.text + stderr.text }
  }
  const url = (database: string, user = 'tierhook', { port } = server): string => `postgres://${user}@127.0.0.1:${port}/${database}`
  const place = (database: string): string => `Keeps its events in the schema tierhook of the database 127.0.0.1:${server.port}/${database}\n`

  t.match(await check(url('fine')), { code: 0, text: `${place('fine')}Requires` }, 'check does not connect without --connect')
  t.match(await check(url('fine'), '--connect'), { code: 0, text: `${place('fine')}  connection: ok\n` })
  t.strictSame(await server.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', ['tierhook'], 'fine'), [], 'check creates no schema')
  for (const [journal, says] of [
    [url('fine', 'tierhook', standby), 'JOURNAL names a read replica, which stores nothing: name the primary server'],
    [url('old'), 'JOURNAL names PostgreSQL 13.14: tierhook needs 14 or newer'],
    [url('reading'), 'may only be read'],
    [url('fine', 'hunter:hunter2'), 'hunter may not make the schema tierhook: GRANT CREATE ON DATABASE fine TO hunter, or make a schema that it owns'],
    [url('theirs', 'hunter:hunter2'), 'hunter may not read and write the table tierhook.version: let it own the schema'],
    [url('theirs'), 'holds tables that tierhook has not made'],
    [url('nowhere'), 'database "nowhere" does not exist: look at the user'],
    [`postgres://tierhook:hunter2@127.0.0.1:${await freePort()}/x`, 'ECONNREFUSED']
  ] as const) {
    const checked = await check(journal, '--connect')
    t.match(checked, { code: 1, text: says })
    t.notMatch(checked.all, 'hunter2')
  }
  t.match(JSON.parse((await check(url('old'), '--connect', '--json')).text), { journal: { database: `127.0.0.1:${server.port}/old`, schema: 'tierhook', connection: { status: 'failed', reason: /13\.14/ } } })
})
