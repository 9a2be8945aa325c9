import type { Connection, SqlValue, Statement } from '../database.js'
import { cursorChecksum } from '../../record.js'
import { readRows, type Row } from './cells.js'
import { createLivePages } from './live-pages.js'
import type { Pages } from './pages.js'
import { tableOf } from './tables.js'

/** Pages whose rows are inserted in one transaction. */
const PAGES_A_TRANSACTION = 4096
/** A table with as few rows as `forwarders` has all its pages at the front of the file, near its root. */
const FRONT_PAGES = 64
/** No real sequence gets this high: a greater one is damage. */
export const SEQUENCE_LIMIT = 2 ** 40

export interface Copied {
  /** The greatest number given out, by table that numbers its rows. */
  readonly numbers: ReadonlyMap<string, number>
  /** Whether there may have been forwarders that cannot be read any more. */
  readonly forwardersLost: boolean
  readonly damagedPages: number
}

/** Copies every readable row from every page in use, whatever happened to the pages above it. */
export function copyRows (pages: Pages, db: Connection): Copied {
  const isLive = createLivePages(pages)
  const insert = inserters(db)
  const numbers = new Map<string, number>()
  let forwarders = 0
  let forwardersDamaged = false
  let damagedPages = 0

  function copy (row: Row): void {
    const table = tableOf(row)
    if (table === undefined) return
    if (table === 'forwarders') {
      const [name, cursor, , , , , checksum] = row.values
      if (checksum !== null && checksum !== cursorChecksum(String(name), Number(cursor))) {
        forwardersDamaged = true
        return
      }
      forwarders++
    }
    if (table === 'sqlite_sequence') {
      const [name, number] = row.values
      if (typeof name === 'string' && typeof number === 'number' && number < SEQUENCE_LIMIT) numbers.set(name, Math.max(number, numbers.get(name) ?? 0))
    }
    insert[table]?.(row)
  }

  db.exec('BEGIN')
  for (let page = 2; page <= pages.count; page++) {
    if (page % PAGES_A_TRANSACTION === 0) db.exec('COMMIT; BEGIN')
    if (!isLive(page)) continue
    const { rows, damaged } = readRows(pages, page, (row) => tableOf(row) !== undefined)
    for (const row of rows) copy(row)
    if (!damaged) continue
    damagedPages++
    forwardersDamaged ||= page <= FRONT_PAGES && (rows.length === 0 || rows.some((row) => tableOf(row) === 'forwarders'))
  }
  db.exec('COMMIT')
  return { numbers, forwardersLost: forwardersDamaged || forwarders === 0, damagedPages }
}

/** Marks and dead letters that the indexes know, because the rows themselves may be lost. Temporary: the tables end with the connection. */
const MARKS = `
  CREATE TEMP TABLE waiting_marks (sequence INTEGER, forwarder TEXT, replay INTEGER, PRIMARY KEY (forwarder, replay, sequence)) WITHOUT ROWID;
  CREATE TEMP TABLE dead_marks (sequence INTEGER, forwarder TEXT, PRIMARY KEY (forwarder, sequence)) WITHOUT ROWID;`

/** The columns in the order in which the file stores them. */
function columnsOf (db: Connection, table: string): readonly string[] {
  return (db.prepare('SELECT name FROM pragma_table_info(?) ORDER BY cid').all([table]) as Array<{ name: string }>).map(({ name }) => name)
}

type Insert = (row: Row) => void

function inserters (db: Connection): Readonly<Record<string, Insert>> {
  db.exec(MARKS)

  function into (target: string, { columns = columnsOf(db, target), values = (row: Row): readonly SqlValue[] => row.values, except = '' } = {}): Insert {
    /** By a row's number of columns: a row of an earlier schema version lacks the columns added later. */
    const statements = new Map<number, Statement>()

    function prepare (count: number): Statement {
      const names = columns.slice(0, count).filter((name) => name !== except)
      // A row that violates a constraint is damaged, or is there already.
      return db.prepare(`INSERT OR IGNORE INTO ${target} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
    }

    return (row) => {
      const given = values(row)
      const statement = statements.get(given.length) ?? prepare(given.length)
      statements.set(given.length, statement)
      statement.run(given.filter((_value, index) => columns[index] !== except))
    }
  }

  const withKey = { values: ({ rowid, values }: Row): readonly SqlValue[] => [rowid ?? null, ...values.slice(1)] }
  const withRowid = ({ rowid, values }: Row): readonly SqlValue[] => [rowid ?? null, ...values]
  const deadMark = into('dead_marks', { columns: ['sequence', 'forwarder'], values: ({ values }) => values.slice(0, 2) })
  return {
    deliveries: into('deliveries', withKey),
    bodies: into('bodies', withKey),
    replays: into('replays', withKey),
    attempts: into('attempts', { columns: ['rowid', ...columnsOf(db, 'attempts')], values: withRowid }),
    dedupe_keys: into('dedupe_keys'),
    forwarders: into('forwarders'),
    // The triggers compute `behind` again from the rows that are left.
    waiting: into('waiting', { except: 'behind' }),
    dead_letters: into('dead_letters'),
    waiting_sequence: into('waiting_marks', { columns: ['sequence', 'forwarder', 'replay'] }),
    dead_letters_sequence: (row) => { if (Number(row.values[0]) < SEQUENCE_LIMIT) deadMark(row) }
  }
}
