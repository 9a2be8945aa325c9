import { storageCause } from '../../errors/storage-cause.js'
import { DatabaseError, openDatabase, type DatabaseOptions, type Query } from './database.js'
import { checkServer, schemaVersion } from './schema.js'

/** What the role may do in the database and in the schema. */
interface Rights {
  readonly role: string
  readonly database: string
  readonly makes: boolean
  readonly exists: boolean
  readonly adds: boolean
  /** A table of the schema that the role may not use; `null` if there is none. */
  readonly barred: string | null
}

const RIGHTS = `SELECT current_user AS role, current_database() AS database, has_database_privilege(current_database(), 'CREATE') AS makes,
  n.oid IS NOT NULL AS exists, coalesce(has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE'), false) AS adds,
  (SELECT c.relname FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND NOT (SELECT bool_and(has_table_privilege(c.oid, p)) FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p) LIMIT 1) AS barred
  FROM (SELECT $1::text AS name) given LEFT JOIN pg_namespace n ON n.nspname = given.name`

/**
 * Checks whether a database can hold a journal, without changing anything.
 * @throws {DatabaseError} that says what is wrong
 */
export async function checkDatabase ({ url, schema, timeoutMs }: Pick<DatabaseOptions, 'url' | 'schema'> & { readonly timeoutMs: number }): Promise<void> {
  const database = openDatabase({ url, schema, connections: 1, timeoutMs })
  try {
    await checkServer(database.query)
    await checkRights(database.query, schema)
    await schemaVersion(database.query, schema)
  } catch (error) {
    const advice = storageCause(error)?.advice
    throw error instanceof DatabaseError && error.code !== 'DATABASE_UNFIT' && advice !== undefined ? new DatabaseError(error.code, `${error.message}: ${advice}`) : error
  } finally {
    await database.close()
  }
}

async function checkRights (query: Query, schema: string): Promise<void> {
  const [rights] = await query<Rights>(RIGHTS, [schema])
  if (rights === undefined) return
  const { role, database, makes, exists, adds, barred } = rights
  if (!exists && !makes) throw new DatabaseError('DATABASE_UNFIT', `${role} may not make the schema ${schema}: GRANT CREATE ON DATABASE ${database} TO ${role}, or make a schema that it owns`)
  if (exists && !adds) throw new DatabaseError('DATABASE_UNFIT', `${role} may not use the schema ${schema}, or make tables in it: let it own the schema, or name another one in JOURNAL_SCHEMA`)
  if (barred !== null) throw new DatabaseError('DATABASE_UNFIT', `${role} may not read and write the table ${schema}.${barred}: let it own the schema and what is in it`)
}
