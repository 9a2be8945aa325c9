import { existsSync, renameSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { StoreError } from '../delivery/operator.js'
import { openDatabase, type Database } from '../journal/postgres/database.js'
import { migrate, schemaVersion } from '../journal/postgres/schema.js'
import { soundJson } from '../journal/postgres/sound-json.js'
import { cursorChecksum } from '../journal/record.js'
import { draftOf, removeDraft, SIDE_FILES, syncWithFolder } from '../journal/sqlite/copies/draft.js'
import { lockDataFolder, makeDataFolder } from '../journal/sqlite/data-lock.js'
import { closeAfterWriting, databasePath, openForWriting, transaction, type Connection } from '../journal/sqlite/database.js'
import { migrate as migrateSqlite, SCHEMA_VERSION as SQLITE_VERSION, schemaVersion as sqliteVersion } from '../journal/sqlite/schema.js'
import { UNKNOWN_FORWARDER } from '../journal/sqlite/salvage/settle-copies.js'
import type { CopyProgress } from './open-store.js'

/** Where a store is, or is to be. */
export type MovePlace = { readonly dataDir: string } | { readonly url: string, readonly schema: string }

export interface MoveOptions {
  readonly from: MovePlace
  readonly to: MovePlace
  readonly onProgress?: (progress: CopyProgress) => void
  readonly signal?: AbortSignal
}

export interface Moved {
  readonly deliveries: number
  /** What the store that was moved from is called now. */
  readonly left: string
}

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** What orders it; where absent, the order in which its rows were written. */
  readonly key?: readonly string[]
}

/** All that a journal is made of. Bodies travel as hexadecimal text. */
const TABLES: readonly Table[] = [
  {
    name: 'deliveries',
    key: ['sequence'],
    columns: ['sequence', 'id', 'received_at', 'event_type', 'verdict', 'hold', 'source_object', 'source_id', 'event_id', 'project_id', 'customer_id', 'campaign_id', 'duplicates',
      'faults', 'headers', 'body_bytes', 'event_start', 'event_end', 'checksum', 'raw_body']
  },
  { name: 'dedupe_keys', key: ['key'], columns: ['key', 'id', 'verdict', 'sequence', 'received_at'] },
  { name: 'waiting', key: ['forwarder', 'replay', 'sequence'], columns: ['forwarder', 'replay', 'sequence', 'lane', 'attempt', 'waited_ms', 'delay_ms', 'due_at', 'reason'] },
  { name: 'dead_letters', key: ['forwarder', 'sequence'], columns: ['forwarder', 'sequence', 'died_at', 'attempts', 'reason'] },
  { name: 'attempts', columns: ['sequence', 'forwarder', 'replay', 'attempt', 'started_at', 'duration_ms', 'outcome', 'detail'] },
  { name: 'replays', key: ['number'], columns: ['number', 'requested_at', 'kind', 'description'] },
  { name: 'forwarders', key: ['name'], columns: ['name', 'cursor', 'began', 'position', 'breaker', 'added_at', 'paused', 'filter'] }
]

/** The numbers that are drawn next: of deliveries and of replays. */
type Counters = Readonly<Record<'sequence' | 'replay', number>>

/** One side of a move. */
interface Side {
  /** Up to so many rows of a table, from after a place in its order, with the place of the last. */
  readonly read: (table: Table, after: readonly Value[] | undefined, limit: number) => Promise<ReadonlyArray<readonly [Row, readonly Value[]]>>
  readonly write: (table: Table, rows: readonly Row[]) => Promise<void>
  readonly count: (table: Table) => Promise<number>
  readonly counters: () => Promise<Counters>
  readonly setCounters: (counters: Counters) => Promise<void>
}

interface Source {
  readonly side: Side
  /** Puts it where nobody serves it any more; returns what it is called then. */
  readonly leave: () => Promise<string>
  readonly close: () => Promise<void>
}

interface Target {
  readonly side: Side
  /** Makes it a journal that can be served. Before, nobody can start on it, and another move begins anew. */
  readonly publish: () => Promise<void>
  readonly close: () => Promise<void>
}

const PAGE = 500

/**
 * Copies a journal with its progress to another place, compares both row by row, and only then lets the new one be served and puts the old one
 * aside. Where it is stopped, the old one is as it was, and the next move begins anew.
 * @throws {StoreError}
 */
export async function moveStore ({ from, to, ...options }: MoveOptions): Promise<Moved> {
  if ('dataDir' in from === 'dataDir' in to) throw new StoreError('WRONG_STORE', 'A move goes from a data folder to a PostgreSQL database, or back')
  const source = 'dataDir' in from ? await openFolder(from.dataDir) : await openShared(from)
  try {
    const target = 'dataDir' in to ? await makeFolder(to.dataDir) : await makeShared(to)
    try {
      await copyAll(source.side, target.side, options)
      await compareAll(source.side, target.side, options)
      await target.publish()
      return { deliveries: await source.side.count(TABLES[0] as Table), left: await source.leave() }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyAll (source: Side, target: Side, options: Pick<MoveOptions, 'onProgress' | 'signal'>): Promise<void> {
  await eachPage(source, 'copying', options, async (table, rows) => { await target.write(table, rows) })
  await target.setCounters(await source.counters())
}

async function compareAll (source: Side, target: Side, options: Pick<MoveOptions, 'onProgress' | 'signal'>): Promise<void> {
  const places = new Map<string, readonly Value[]>()
  await eachPage(source, 'checking', options, async (table, rows) => {
    const found = await target.read(table, places.get(table.name), rows.length)
    if (!isDeepStrictEqual(found.map(([row]) => row), rows)) throw new StoreError('STORE_DAMAGED', `The copy differs from what was copied, in ${table.name}: move it again`)
    const last = found.at(-1)
    if (last !== undefined) places.set(table.name, last[1])
  })
  for (const table of TABLES) if (await source.count(table) !== await target.count(table)) throw new StoreError('STORE_DAMAGED', `The copy has more than what was copied, in ${table.name}: move it again`)
}

async function eachPage (side: Side, phase: CopyProgress['phase'], { onProgress, signal }: Pick<MoveOptions, 'onProgress' | 'signal'>, work: (table: Table, rows: readonly Row[]) => Promise<void>): Promise<void> {
  let of = 0
  for (const table of TABLES) of += await side.count(table)
  let done = 0
  for (const table of TABLES) {
    for (let after: readonly Value[] | undefined; ;) {
      signal?.throwIfAborted()
      const page = await side.read(table, after, PAGE)
      const last = page.at(-1)
      if (last === undefined) break
      await work(table, page.map(([row]) => row))
      after = last[1]
      done += page.length
      onProgress?.({ phase, done, of })
    }
  }
}

/** A value as both sides give it. */
function plain (value: unknown): Value {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return typeof value === 'boolean' ? Number(value) : value as Value
}

function toPage (table: Table, key: readonly string[], rows: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlyArray<readonly [Row, readonly Value[]]> {
  return rows.map((row) => [Object.fromEntries(table.columns.map((name) => [name, plain(row[name])])), key.map((name) => plain(row[name]))])
}

function sqliteSide (db: Connection): Side {
  const isKnown = (table: Table): string => table.name === 'forwarders' ? `WHERE name <> '${UNKNOWN_FORWARDER}'` : ''
  const sequenceOf = (name: string): number => Number((db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get([name]) as { seq: number } | undefined)?.seq ?? 0)
  return {
    async read (table, after, limit) {
      const key = table.key ?? ['rowid']
      const columns = table.columns.map((name) => name === 'raw_body' ? "coalesce((SELECT raw_body FROM bodies b WHERE b.sequence = t.sequence), x'') AS raw_body" : name)
      const conditions = [...after === undefined ? [] : [`(${key.join(', ')}) > (${key.map(() => '?').join(', ')})`], ...table.name === 'forwarders' ? [`name <> '${UNKNOWN_FORWARDER}'`] : []]
      const rows = db.prepare(`SELECT ${[...columns, ...table.key === undefined ? ['rowid'] : []].join(', ')} FROM ${table.name} t ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
        ORDER BY ${key.join(', ')} LIMIT ?`).all([...after ?? [], limit])
      return toPage(table, key, rows as Array<Record<string, unknown>>)
    },

    async write (table, rows) {
      const columns = table.columns.filter((name) => name !== 'raw_body')
      const more = table.name === 'forwarders' ? ['checksum'] : []
      const insert = db.prepare(`INSERT INTO ${table.name} (${[...columns, ...more].join(', ')}) VALUES (${[...columns, ...more].map(() => '?').join(', ')})`)
      const insertBody = db.prepare('INSERT INTO bodies (sequence, raw_body) VALUES (?, ?)')
      transaction(db, () => {
        for (const row of rows) {
          insert.run([...columns.map((name) => row[name] ?? null), ...more.map(() => cursorChecksum(String(row['name']), Number(row['cursor'])))])
          if (table.name === 'deliveries') insertBody.run([Number(row['sequence']), Buffer.from(String(row['raw_body']), 'hex')])
        }
      })
    },

    count: async (table) => (db.prepare(`SELECT count(*) AS n FROM ${table.name} ${isKnown(table)}`).get([]) as { n: number }).n,
    counters: async () => ({ sequence: sequenceOf('deliveries'), replay: sequenceOf('replays') }),

    async setCounters ({ sequence, replay }) {
      transaction(db, () => {
        db.prepare("DELETE FROM sqlite_sequence WHERE name IN ('deliveries', 'replays')").run([])
        for (const [name, last] of [['deliveries', sequence], ['replays', replay]] as const) db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run([name, last])
      })
    }
  }
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
    counters: async () => Object.fromEntries((await query<{ name: string, value: number }>(`SELECT name, value FROM ${s}.counters`)).map(({ name, value }) => [name, value])) as Counters,
    async setCounters (counters) { for (const [name, value] of Object.entries(counters)) await query(`UPDATE ${s}.counters SET value = $2 WHERE name = $1`, [name, value]) }
  }
}

async function openFolder (dataDir: string): Promise<Source> {
  const path = databasePath(dataDir)
  if (!existsSync(path)) throw new StoreError('NO_STORE', `There is no tierhook.db in ${dataDir}: name the data folder that is to be moved`)
  const lock = takeFolder(dataDir)
  const db = openForWriting(path)
  if (sqliteVersion(db) < SQLITE_VERSION) migrateSqlite(db)
  return {
    side: sqliteSide(db),
    async leave () {
      closeAfterWriting(db)
      const left = `${path}.moved`
      renameSync(path, left)
      for (const end of SIDE_FILES) if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${left}${end}`)
      syncWithFolder(left)
      return left
    },
    async close () {
      closeAfterWriting(db)
      lock.release()
    }
  }
}

async function makeFolder (dataDir: string): Promise<Target> {
  await makeDataFolder(dataDir)
  const path = databasePath(dataDir)
  const lock = takeFolder(dataDir)
  if (existsSync(path)) {
    lock.release()
    throw new StoreError('WRONG_STORE', `There is a tierhook.db in ${dataDir} already: name another folder`)
  }
  const draft = draftOf(path)
  const db = openForWriting(draft)
  migrateSqlite(db)
  return {
    side: sqliteSide(db),
    async publish () {
      closeAfterWriting(db)
      syncWithFolder(draft)
      renameSync(draft, path)
      syncWithFolder(path)
    },
    async close () {
      closeAfterWriting(db)
      removeDraft(draft)
      lock.release()
    }
  }
}

function takeFolder (dataDir: string): ReturnType<typeof lockDataFolder> {
  try {
    return lockDataFolder(dataDir)
  } catch (error) {
    throw new StoreError('STORE_BUSY', `${error instanceof Error ? error.message : String(error)} A store that is moved must not be served.`, error)
  }
}

async function openShared ({ url, schema }: { readonly url: string, readonly schema: string }): Promise<Source> {
  const database = openDatabase({ url, schema, connections: 1, timeoutMs: 60_000 })
  const { query, schema: s } = database
  // One that was stopped has left its mark.
  await query(`DROP TABLE IF EXISTS ${s}.moving`)
  if (await schemaVersion(query, schema) === 0) throw new StoreError('NO_STORE', `There is no journal in the schema ${schema} of the database`)
  await refuseServed(database)
  // From now on no replica starts on it.
  await query(`CREATE TABLE ${s}.moving (since timestamptz DEFAULT now())`)
  return {
    side: postgresSide(database),
    async leave () {
      await refuseServed(database)
      const left = `${schema}_moved_${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}`
      await query(`ALTER SCHEMA ${s} RENAME TO "${left}"`)
      return `the schema ${left}`
    },
    async close () {
      await query(`DROP TABLE IF EXISTS ${s}.moving`).catch(() => undefined)
      await database.close()
    }
  }
}

async function makeShared ({ url, schema }: { readonly url: string, readonly schema: string }): Promise<Target> {
  const database = openDatabase({ url, schema, connections: 1, timeoutMs: 60_000 })
  const { query, schema: s } = database
  try {
    const [found] = await query<{ made: boolean, moving: boolean }>('SELECT to_regclass($1) IS NOT NULL AS made, to_regclass($2) IS NOT NULL AS moving', [`${s}.version`, `${s}.moving`])
    if (found?.moving === true) await query(`DROP SCHEMA ${s} CASCADE`)
    else if (found?.made === true) throw new StoreError('WRONG_STORE', `The schema ${schema} of the database holds a journal already: name another one in JOURNAL_SCHEMA, or drop it if it is not needed`)
    await migrate(database, schema)
    await query(`CREATE TABLE ${s}.moving (since timestamptz DEFAULT now())`)
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

async function refuseServed ({ query, schema: s }: Database): Promise<void> {
  const [row] = await query<{ n: number }>(`SELECT count(*) AS n FROM ${s}.members WHERE greatest(lease_until, seen_at + 10000) > ${s}.now_ms()`)
  if (row !== undefined && row.n > 0) throw new StoreError('STORE_BUSY', `${row.n} replicas use the journal: stop them first, and wait for ten seconds`)
}
