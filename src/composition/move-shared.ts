import { StoreError } from '../delivery/operator.js'
import { openDatabase, type Database, type Query } from '../journal/postgres/database.js'
import { journalLock } from '../journal/postgres/functions.js'
import { migrate, schemaVersion } from '../journal/postgres/schema.js'
import { soundJson } from '../journal/postgres/sound-json.js'
import { TABLES, toPage, type Counters, type Side, type Source, type Target } from './move-sides.js'

/** Opens the journal in a database for a move, and marks it so that no replica starts on it meanwhile. */
export async function openShared ({ url, schema }: { readonly url: string, readonly schema: string }): Promise<Source> {
  const database = openDatabase({ url, schema, connections: 1, timeoutMs: 60_000 })
  const { query, schema: s } = database
  try {
    // A move that was stopped has left its mark.
    await query(`DROP TABLE IF EXISTS ${s}.moving`)
    if (await schemaVersion(query, schema) === 0) throw new StoreError('NO_STORE', `There is no journal in the schema ${schema} of the database`)
    await refuseServed(database)
    // From now on no replica starts on this journal.
    await query(`CREATE TABLE ${s}.moving (since timestamptz DEFAULT now())`)
  } catch (error) {
    await database.close()
    throw error
  }
  const side = postgresSide(database)
  let copied: Counters | undefined
  return {
    side: {
      ...side,
      async counters () {
        copied = await side.counters()
        return copied
      }
    },
    async leave () {
      const left = `${schema}_moved_${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}`
      await database.transaction(async (query) => {
        // A suspended replica does not count as serving the journal, but appends when it continues. So take the journal's lock, and check that
        // nothing was appended.
        await query(`SELECT ${journalLock(s)}`)
        await refuseServed({ ...database, query })
        if ((await readCounters(query, s)).sequence !== copied?.sequence) throw new StoreError('STORE_BUSY', 'A replica has stored webhooks in the journal while it was moved: stop it, and remove what was moved so far')
        await query(`ALTER SCHEMA ${s} RENAME TO "${left}"`)
      })
      return `the schema ${left}`
    },
    async close () {
      await query(`DROP TABLE IF EXISTS ${s}.moving`).catch(() => undefined)
      await database.close()
    }
  }
}

/** Makes a schema with the same mark, which is removed when everything has been copied. */
export async function makeShared ({ url, schema }: { readonly url: string, readonly schema: string }): Promise<Target> {
  const database = openDatabase({ url, schema, connections: 1, timeoutMs: 60_000 })
  const { query, schema: s } = database
  try {
    const [found] = await query<{ made: boolean, moving: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS made,
      EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($2) AND attname = 'is_target') AS moving`, [`${s}.version`, `${s}.moving`])
    if (found?.moving === true) await query(`DROP SCHEMA ${s} CASCADE`)
    else if (found?.made === true) throw new StoreError('WRONG_STORE', `The schema ${schema} of the database holds a journal already: name another one in JOURNAL_SCHEMA, or drop it if it is not needed`)
    await migrate(database, schema)
    // The journal that a stopped move was reading has this table too, but not this column. It is the only copy, so it is not dropped.
    await query(`CREATE TABLE ${s}.moving (since timestamptz DEFAULT now(), is_target boolean)`)
  } catch (error) {
    await database.close()
    throw error
  }
  return {
    side: postgresSide(database),
    async publish () {
      await query(`DROP TABLE ${s}.moving`)
      await query(`ANALYZE ${TABLES.map(({ name }) => `${s}.${name}`).join(', ')}`)
    },
    close: database.close
  }
}

async function refuseServed ({ query, schema: s }: Pick<Database, 'query' | 'schema'>): Promise<void> {
  const [row] = await query<{ n: number }>(`SELECT count(*) AS n FROM ${s}.members WHERE greatest(lease_until, seen_at + 10000) > ${s}.now_ms()`)
  if (row !== undefined && row.n > 0) throw new StoreError('STORE_BUSY', `${row.n} replicas use the journal: stop them first, and wait for ten seconds`)
}

async function readCounters (query: Query, s: string): Promise<Counters> {
  return Object.fromEntries((await query<{ name: string, value: number }>(`SELECT name, value FROM ${s}.counters`)).map(({ name, value }) => [name, value])) as Counters
}

function postgresSide ({ query, schema: s }: Database): Side {
  return {
    async read (table, after, limit) {
      const key = table.key ?? ['number']
      const columns = [...table.columns, ...table.key === undefined ? key : []].join(', ')
      const from = after === undefined ? '' : `WHERE (${key.join(', ')}) > (${key.map((_name, index) => `$${index + 2}`).join(', ')})`
      return toPage(table, key, await query(`SELECT ${columns} FROM ${s}.${table.name} ${from} ORDER BY ${key.join(', ')} LIMIT $1`, [limit, ...after ?? []]))
    },

    async write (table, rows) {
      const columns = table.columns.join(', ')
      const written = rows.map((row) => 'raw_body' in row ? { ...row, raw_body: `\\x${row['raw_body']}` } : row)
      await query(`INSERT INTO ${s}.${table.name} (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::${s}.${table.name}, $1)`, [soundJson(written)])
    },

    count: async (table) => (await query<{ n: number }>(`SELECT count(*) AS n FROM ${s}.${table.name}`))[0]?.n ?? 0,
    counters: async () => await readCounters(query, s),
    async setCounters (counters) { for (const [name, value] of Object.entries(counters)) await query(`UPDATE ${s}.counters SET value = $2 WHERE name = $1`, [name, value]) }
  }
}
