import { openDatabase, type Database, type DatabaseOptions, type Query } from './database.js'
import type { Member } from './accept-engine.js'
import { checkStore, toStoreError } from './operator.js'

export interface SharedObservationsOptions extends Pick<DatabaseOptions, 'url' | 'schema'> {
  readonly member: Pick<Member, 'id'>
}

interface Kept {
  readonly text: string
  readonly isDriftCurrent: boolean
}

interface Row {
  readonly id: string
  readonly text: string | null
  readonly resets: number
  readonly gone: boolean
  readonly current: number
}

/** The id of the row with the observations of replicas that are gone. This row always exists. */
const NOBODY = ''
const EVERY_MS = 3000
const TIMEOUT_MS = 5000
const LOCK_MS = 4000
/** A replica that has given no sign of life for this long is gone, in milliseconds. */
const GONE_MS = 60_000

async function readRows (query: Query, s: string, condition = ''): Promise<readonly Row[]> {
  return await query<Row>(`SELECT o.id, o.text, o.resets, c.value AS current,
    o.id <> '${NOBODY}' AND NOT EXISTS (SELECT 1 FROM ${s}.members m WHERE m.id = o.id AND greatest(m.lease_until, m.seen_at) > ${s}.now_ms() - ${GONE_MS}) AS gone
    FROM ${s}.observations o JOIN ${s}.counters c ON c.name = 'drift' ORDER BY o.id ${condition}`)
}

function kept (rows: readonly Row[]): readonly Kept[] {
  return rows.flatMap(({ text, resets, current }) => text === null ? [] : { text, isDriftCurrent: resets >= current })
}

/**
 * Keeps what each replica has observed in its own row, which all other replicas read. A reset of drift increases a number. Drift that was
 * counted before the last reset is ignored.
 */
export function createSharedObservations ({ url, schema, member: { id } }: SharedObservationsOptions) {
  const database = openDatabase({ url, schema, connections: 1, timeoutMs: TIMEOUT_MS })
  const { query, schema: s } = database
  let written: string | undefined
  /** The last reset that this replica has applied. */
  let resets: number | undefined

  /**
   * Writes this replica's row, and returns whether the row exists. The row is inserted only once: if it is missing later, another replica has
   * merged its content.
   */
  async function write (text: string): Promise<boolean> {
    const statement = written === undefined
      ? `INSERT INTO ${s}.observations (id, text, resets) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET text = excluded.text RETURNING 1`
      : `UPDATE ${s}.observations SET text = $2, resets = $3 WHERE id = $1 RETURNING 1`
    return await database.transaction(async (query) => {
      // Limit the wait for the lock: while a standby does not confirm, each transaction that waits for an earlier one occupies a server process.
      await query(`SELECT set_config('lock_timeout', '${LOCK_MS}', true)`)
      return (await query(statement, [id, text, resets])).length > 0
    })
  }

  return {
    everyMs: EVERY_MS,
    where: { schema },
    read: async (): Promise<undefined> => {},

    async exchange (text: string, { merge }: { readonly merge: ((kept: readonly Kept[]) => string) | undefined }): Promise<{ readonly others: readonly Kept[], readonly forget?: 'drift' | 'all' }> {
      const rows = await readRows(query, s)
      const current = rows[0]?.current ?? 0
      const isBehind = resets !== undefined && resets < current
      resets = current
      if (isBehind) return { others: [], forget: 'drift' }
      const isMerged = written !== undefined && !rows.some((row) => row.id === id)
      if (isMerged || (text !== written && !await write(text))) {
        written = undefined
        return { others: [], forget: 'all' }
      }
      written = text
      const others = rows.filter((row) => row.id !== id)
      if (merge === undefined || !others.some(({ gone }) => gone)) return { others: kept(others) }
      await mergeGone(database, merge)
      return { others: kept((await readRows(query, s)).filter((row) => row.id !== id)) }
    },

    async resetDrift () { resets = await resetSharedDrift(database) },
    close: database.close
  }
}

/** Merges the rows of all replicas that are gone into one row. */
async function mergeGone ({ transaction, schema: s }: Database, merge: (kept: readonly Kept[]) => string): Promise<void> {
  await transaction(async (query) => {
    const rows = (await readRows(query, s, 'FOR UPDATE OF o')).filter(({ id, gone }) => gone || id === NOBODY)
    await query(`UPDATE ${s}.observations SET text = $2, resets = $3 WHERE id = $1`, [NOBODY, merge(kept(rows)), rows[0]?.current ?? 0])
    await query(`DELETE FROM ${s}.observations WHERE id = ANY ($1)`, [rows.filter(({ gone }) => gone).map(({ id }) => id)])
  })
}

async function resetSharedDrift ({ query, schema: s }: Pick<Database, 'query' | 'schema'>): Promise<number> {
  const [row] = await query<{ value: number }>(`UPDATE ${s}.counters SET value = value + 1 WHERE name = 'drift' RETURNING value`)
  return row?.value ?? 0
}

export interface AllObservations {
  readonly read: () => Promise<readonly Kept[]>
  readonly resetDrift: () => Promise<unknown>
}

/**
 * Gives a command access to the observations of all replicas.
 * @throws {StoreError}
 */
export async function withAllObservations<T> ({ url, schema }: Pick<DatabaseOptions, 'url' | 'schema'>, work: (all: AllObservations) => Promise<T>): Promise<T> {
  const database = openDatabase({ url, schema, connections: 1 })
  try {
    await checkStore(database, schema)
    return await work({ read: async () => kept(await readRows(database.query, database.schema)), resetDrift: async () => await resetSharedDrift(database) })
  } catch (error) {
    throw toStoreError(error)
  } finally {
    await database.close()
  }
}
