import { TOO_OLD, type Delivery } from '../../delivery/delivery.js'
import { StoreError, type Operator } from '../../delivery/operator.js'
import type { Discarded, Released, Replayed } from '../../delivery/operator-requests.js'
import { checksum, STATE, replayRefusal, toDelivery } from '../record.js'
import { openDatabase, DatabaseError, type Database, type DatabaseOptions, type Query } from './database.js'
import { erase } from './erase.js'
import { journalLock } from './functions.js'
import { createQueries } from './queries.js'
import { prune, removeDeliveries } from './prune.js'
import { BODY_COLUMNS, type StoredRow } from './reads.js'
import { SCHEMA_VERSION, schemaVersion } from './schema.js'
import { isPending } from '../conditions.js'
import { soundText } from './sound-json.js'

export interface PostgresOperatorOptions extends Pick<DatabaseOptions, 'url' | 'schema'> {
  /** Validates an event again, with the current schemas. */
  readonly judge: (event: { readonly eventType: string, readonly rawBody: Uint8Array }) => Pick<Released, 'verdict' | 'faults'>
  /** Makes a forwarder's filter from the text that the journal stores. */
  readonly parseFilter: (text: string) => (delivery: Delivery) => boolean
}

const CONNECTIONS = 2
/** How long a statement may take, in milliseconds. A long backlog is counted row by row. */
const STATEMENT_MS = 60_000
/** How long clearing the files of a large journal may take, in milliseconds. */
const SCRUB_MS = 3_600_000
const LOCK_MS = 5000

/**
 * Opens the operator's side of the store. Works while replicas run and while none runs. Code that changes deliveries holds the journal's lock,
 * and code that changes marks holds the locks of their forwarders' rows.
 */
export function openPostgresOperator ({ url, schema, judge, parseFilter }: PostgresOperatorOptions): Operator {
  const database = openDatabase({ url, schema, connections: CONNECTIONS, timeoutMs: STATEMENT_MS })
  const { schema: s } = database
  let checked: Promise<void> | undefined

  async function changing<T> (locks: { readonly journal?: boolean, readonly forwarders?: readonly string[] | 'all' }, work: (query: Query) => Promise<T>): Promise<T> {
    return await database.transaction(async (query) => {
      await query(`SELECT set_config('lock_timeout', '${LOCK_MS}', true)`)
      if (locks.journal === true) await query(`SELECT ${journalLock(s)}`)
      const { forwarders } = locks
      if (forwarders === 'all') await query(`SELECT 1 FROM ${s}.forwarders ORDER BY name FOR UPDATE`)
      else if (forwarders !== undefined) await query(`SELECT 1 FROM ${s}.forwarders WHERE name = ANY ($1) ORDER BY name FOR UPDATE`, [forwarders])
      return await work(query)
    }).catch((error: unknown) => {
      if (!(error instanceof DatabaseError) || !error.mayBeDone) throw error
      throw new StoreError('STORE_UNSURE', `The database did not answer whether this was done (${error.message}). Look whether it was, before you ask again`, error)
    })
  }

  /** Adds a replay, whose number the marks of its deliveries carry. The leaders notice the new number and read the marks. */
  async function addReplays (query: Query, kind: 'replay' | 'release' | 'forced', description: string): Promise<number> {
    const [row] = await query<{ number: number }>(`WITH number AS (UPDATE ${s}.counters SET value = value + 1 WHERE name = 'replay' RETURNING value)
      INSERT INTO ${s}.replays (number, requested_at, kind, description) SELECT value, ${s}.now_ms(), $1, $2 FROM number RETURNING number`, [kind, soundText(description)])
    return row?.number ?? 0
  }

  async function readRows (query: Query, sequences: readonly number[]): Promise<ReadonlyMap<number, StoredRow>> {
    const rows = await query<StoredRow>(`SELECT ${BODY_COLUMNS} FROM ${s}.deliveries d WHERE d.sequence = ANY ($1::bigint[])`, [sequences])
    return new Map(rows.map((row) => [row.sequence, row]))
  }

  function judgeRow (sequence: number, row: StoredRow | undefined, force: boolean): Released {
    if (row === undefined) return { sequence, id: '', status: 'gone', verdict: 'unvalidated', faults: [] }
    const unchanged = { sequence, id: row.id, verdict: row.verdict, faults: [] }
    if (row.hold === STATE.damaged) return { ...unchanged, status: 'damaged' }
    if (row.hold !== STATE.quarantined) return { ...unchanged, status: 'not in quarantine' }
    const delivery = toDelivery(row, row.raw_body)
    if (delivery === undefined) return { ...unchanged, status: 'damaged' }
    const { verdict, faults } = judge({ eventType: row.event_type, rawBody: row.raw_body })
    const tooOld = delivery.faults.filter(({ message }) => message === TOO_OLD)
    const status = force ? 'released' : verdict === 'invalid' ? 'still invalid' : tooOld.length > 0 ? 'too old' : 'released'
    return { sequence, id: row.id, status, verdict, faults: status === 'released' ? faults : [...faults, ...tooOld] }
  }

  const calls: Omit<Operator, 'close'> = {
    ...createQueries(database),

    release: async ({ sequences, force }) => await changing({ journal: true, forwarders: 'all' }, async (query) => {
      const rows = await readRows(query, sequences)
      const judged = sequences.map((sequence) => judgeRow(sequence, rows.get(sequence), force))
      const free = judged.filter(({ status }) => status === 'released')
      if (free.length === 0) return judged
      const number = await addReplays(query, 'release', 'released from quarantine')
      for (const { sequence, verdict, faults } of free) {
        const row = rows.get(sequence)
        if (row === undefined) continue
        const changed = { verdict, faults: faults.length > 0 ? JSON.stringify(faults) : null, hold: STATE.released }
        await query(`UPDATE ${s}.deliveries SET hold = $1, verdict = $2, faults = $3, checksum = $4 WHERE sequence = $5`, [changed.hold, verdict, changed.faults, checksum({ ...row, ...changed }, row.raw_body), sequence])
      }
      await query(`INSERT INTO ${s}.waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
        SELECT f.name, $1, d.sequence, d.customer_id, 1, 0, 0, ${s}.now_ms() FROM ${s}.forwarders f CROSS JOIN ${s}.deliveries d WHERE d.sequence = ANY ($2::bigint[])`, [number, free.map(({ sequence }) => sequence)])
      return judged
    }),

    async replay (request) {
      if (request.dryRun) return (await chooseReplays(database.query, s, request, parseFilter)).replayed
      // The journal's lock keeps retention from removing the deliveries meanwhile. Afterwards retention sees the marks.
      return await changing({ journal: true, forwarders: request.forwarders }, async (query) => {
        const { replayed, chosen } = await chooseReplays(query, s, request, parseFilter)
        if (chosen.length === 0) return replayed
        const number = await addReplays(query, request.force === true ? 'forced' : 'replay', request.description)
        await query(`INSERT INTO ${s}.waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
          SELECT c.forwarder, $1, d.sequence, d.customer_id, 1, 0, 0, ${s}.now_ms() FROM unnest($2::text[], $3::bigint[]) AS c (forwarder, sequence) JOIN ${s}.deliveries d ON d.sequence = c.sequence
          ON CONFLICT DO NOTHING`, [number, chosen.map(({ forwarder }) => forwarder), chosen.map(({ sequence }) => sequence)])
        return replayed
      })
    },

    discard: async (request) => await changing(request.from === 'quarantine' ? { journal: true } : { forwarders: [request.forwarder] }, async (query) => {
      const found = request.from === 'quarantine'
        ? await query<{ sequence: number }>(`SELECT sequence FROM ${s}.deliveries WHERE sequence = ANY ($1::bigint[]) AND hold = ${STATE.quarantined}`, [request.sequences])
        : await query<{ sequence: number }>(`WITH gone AS (DELETE FROM ${s}.dead_letters WHERE forwarder = $1 AND sequence = ANY ($2::bigint[]) RETURNING sequence, attempts)
          INSERT INTO ${s}.attempts (forwarder, sequence, replay, attempt, started_at, duration_ms, outcome, detail)
          SELECT $1, sequence, 0, attempts, ${s}.now_ms(), 0, 'discarded', 'by an operator' FROM gone RETURNING sequence`, [request.forwarder, request.sequences])
      const there = new Set(found.map(({ sequence }) => sequence))
      if (request.from === 'quarantine') await removeDeliveries(query, s, [...there])
      return request.sequences.map((sequence): Discarded => ({ sequence, status: there.delete(sequence) ? 'discarded' : 'not there' }))
    }),

    async keepPaused ({ forwarder, paused }) { await database.query(`UPDATE ${s}.forwarders SET paused = $2 WHERE name = $1`, [forwarder, paused]) },

    forget: async ({ forwarder, limit }) => await changing({ forwarders: [forwarder] }, async (query) => {
      const waiting = await query(`DELETE FROM ${s}.waiting WHERE forwarder = $1 AND (replay, sequence) IN (SELECT replay, sequence FROM ${s}.waiting WHERE forwarder = $1 LIMIT $2) RETURNING 1`, [forwarder, limit])
      const dead = await query(`DELETE FROM ${s}.dead_letters WHERE forwarder = $1 AND sequence IN (SELECT sequence FROM ${s}.dead_letters WHERE forwarder = $1 LIMIT $2) RETURNING 1`, [forwarder, limit - waiting.length])
      const dropped = waiting.length + dead.length
      if (dropped < limit) await query(`DELETE FROM ${s}.forwarders WHERE name = $1`, [forwarder])
      return { dropped, done: dropped < limit }
    }),

    async checkFiles () { throw new StoreError('WRONG_STORE', 'The files of PostgreSQL are checked by its own means: run pg_amcheck, and look for checksum failures in pg_stat_database') },
    prune: async (request) => await prune(database, request),
    erase: async (request) => request.dryRun ? await erase(database.query, s, request) : await changing({ journal: true, forwarders: 'all' }, async (query) => await erase(query, s, request)),

    // Overwritten data stays in the files until VACUUM removes it. Backups and archived WAL are not under tierhook's control.
    async scrub () {
      await database.queryWithin(SCRUB_MS, `VACUUM ${['deliveries', 'attempts', 'dead_letters', 'waiting', 'replays'].map((table) => `${s}.${table}`).join(', ')}`, [])
      return { done: true }
    }
  }

  const call = (work: (request: never) => Promise<unknown>) => async (request: never): Promise<unknown> => {
    try {
      checked ??= checkStore(database, schema)
      await checked
      return await work(request)
    } catch (error) {
      checked = undefined
      throw toStoreError(error)
    }
  }
  return { ...Object.fromEntries(Object.entries(calls).map(([name, work]) => [name, call(work)])) as unknown as Omit<Operator, 'close'>, close: database.close }
}

/** @throws {StoreError} if the schema does not exist or has another version */
export async function checkStore ({ query }: Pick<Database, 'query'>, schema: string): Promise<void> {
  const version = await schemaVersion(query, schema)
  if (version === 0) throw new StoreError('NO_STORE', `There is no journal in the schema ${schema} of the database: name the right one in JOURNAL and JOURNAL_SCHEMA, or start the service first`)
  if (version < SCHEMA_VERSION) throw new StoreError('WRONG_STORE', `The schema ${schema} has version ${version}, and this tierhook works with ${SCHEMA_VERSION}: start the service once, so that it brings it up to date`)
}

/** @param place how the message names the database */
export function toStoreError (error: unknown, place = 'The database that JOURNAL names'): unknown {
  if (!(error instanceof DatabaseError)) return error
  const code = error.code === 'DATABASE_UNFIT' || error.code === 'DATABASE_REFUSES' ? 'WRONG_STORE' : error.code === 'DATABASE_READ_ONLY' ? 'STORE_READ_ONLY' : 'STORE_BUSY'
  return new StoreError(code, `${place} cannot be used: ${error.message}`, error)
}

interface ChosenReplays {
  readonly replayed: Replayed
  readonly chosen: ReadonlyArray<{ readonly forwarder: string, readonly sequence: number }>
}

async function chooseReplays (query: Query, s: string, { sequences, forwarders, finishedOnly, force = false }: Parameters<Operator['replay']>[0], parseFilter: PostgresOperatorOptions['parseFilter']): Promise<ChosenReplays> {
  const filters = new Map((await query<{ name: string, filter: string }>(`SELECT name, filter FROM ${s}.forwarders WHERE filter IS NOT NULL AND name = ANY ($1)`, [force ? [] : forwarders])).map(({ name, filter }) => [name, parseFilter(filter)]))
  // Bodies are read only if a filter may look at them.
  const rows = await query<StoredRow>(`SELECT ${filters.size > 0 ? BODY_COLUMNS : 'd.sequence, d.hold'} FROM ${s}.deliveries d WHERE d.sequence = ANY ($1::bigint[])`, [sequences])
  const found = new Map(rows.map((row) => [row.sequence, row]))
  const onFirstWay = new Set((finishedOnly
    ? await query<{ name: string, sequence: number }>(`SELECT f.name, d.sequence FROM ${s}.forwarders f CROSS JOIN ${s}.deliveries d WHERE f.name = ANY ($1) AND d.sequence = ANY ($2::bigint[]) AND (${isPending(`${s}.`)}
      OR EXISTS (SELECT 1 FROM ${s}.waiting w LEFT JOIN ${s}.replays r ON r.number = w.replay WHERE w.sequence = d.sequence AND w.forwarder = f.name AND (w.replay = 0 OR r.kind = 'release')))`, [forwarders, sequences])
    : []).map(({ name, sequence }) => `${sequence} ${name}`))
  const wants = (forwarder: string, row: StoredRow): boolean => {
    const filter = filters.get(forwarder)
    const delivery = filter === undefined ? undefined : toDelivery(row, row.raw_body)
    return filter === undefined || delivery === undefined || filter(delivery)
  }
  const refused: Array<Replayed['refused'][number]> = []
  const chosen: Array<ChosenReplays['chosen'][number]> = []
  let passedOver = 0
  let filtered = 0
  for (const sequence of sequences) {
    const row = found.get(sequence)
    const why = replayRefusal(row?.hold)
    const wanting = row === undefined || why !== undefined ? [] : forwarders.filter((forwarder) => wants(forwarder, row))
    if (why === undefined) filtered += forwarders.length - wanting.length
    if (why !== undefined || wanting.length === 0) refused.push({ sequence, why: why ?? 'filtered' })
    for (const forwarder of wanting) {
      if (onFirstWay.has(`${sequence} ${forwarder}`)) passedOver++
      else chosen.push({ forwarder, sequence })
    }
  }
  return { replayed: { replays: chosen.length, passedOver, filtered, refused }, chosen }
}
