import type { Connection, SqlValue } from '../database.js'
import { cursorChecksum } from '../record.js'
import { readRows, type Row } from './cells.js'
import { createLivePages } from './live-pages.js'
import type { Pages } from './pages.js'
import { tableOf, type TableName } from './tables.js'

/** Rows go to the new database in transactions of so many pages. */
const PAGES_A_TRANSACTION = 4096
/** A table with as few rows as `forwarders` never leaves the front of the file, where its root is. */
const FRONT_PAGES = 64
/** No sequence ever gets so high: a greater one is damage. */
export const SEQUENCE_LIMIT = 2 ** 40

export interface Copied {
  /** The greatest number that a row says was given out, by table with such numbers. */
  readonly numbers: ReadonlyMap<string, number>
  /** Whether there may have been forwarders that can't be read any more. */
  readonly forwardersLost: boolean
  readonly damagedPages: number
}

/** Copies every row that can be read on any page that is in use, whatever became of the pages above it. */
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

/** What the indexes know that the rows themselves may have lost. Temporary: it is gone with the connection. */
const MARKS = `
  CREATE TEMP TABLE waiting_marks (sequence INTEGER, forwarder TEXT, replay INTEGER, PRIMARY KEY (forwarder, replay, sequence)) WITHOUT ROWID;
  CREATE TEMP TABLE dead_marks (sequence INTEGER, forwarder TEXT, PRIMARY KEY (forwarder, sequence)) WITHOUT ROWID;`

function inserters (db: Connection): Partial<Record<TableName, (row: Row) => void>> {
  db.exec(MARKS)
  const into = (target: string, columns: string, values: (row: Row) => readonly SqlValue[] = (row) => row.values): ((row: Row) => void) => {
    const parameters = columns.split(',').map(() => '?')
    // What breaks a rule of the table is damaged, or there already.
    const statement = db.prepare(`INSERT OR IGNORE INTO ${target} (${columns}) VALUES (${parameters.join(', ')})`)
    return (row) => {
      const given = values(row)
      // A row of an earlier schema version ends before the columns that were added since.
      statement.run(parameters.map((_each, index) => given[index] ?? null))
    }
  }
  const withRowid = ({ rowid, values }: Row): readonly SqlValue[] => [rowid ?? null, ...values]
  const withKey = ({ rowid, values }: Row): readonly SqlValue[] => [rowid ?? null, ...values.slice(1)]
  const deadMark = into('dead_marks', 'sequence, forwarder')
  return {
    deliveries: into('deliveries', `sequence, id, received_at, event_type, verdict, hold, source_object, source_id, event_id, project_id, customer_id,
      campaign_id, duplicates, faults, headers, body_bytes, checksum, event_start, event_end`, withKey),
    bodies: into('bodies', 'sequence, raw_body', withKey),
    attempts: into('attempts', 'rowid, sequence, forwarder, replay, attempt, started_at, duration_ms, outcome, detail', withRowid),
    replays: into('replays', 'number, requested_at, kind, description', withKey),
    dedupe_keys: into('dedupe_keys', 'key, id, verdict, sequence, received_at'),
    forwarders: into('forwarders', 'name, cursor, began, position, breaker, added_at, checksum, paused, filter', ({ values }) => [...values.slice(0, 7), values[7] ?? 0, values[8] ?? null]),
    waiting: into('waiting', 'forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason'),
    dead_letters: into('dead_letters', 'forwarder, sequence, died_at, attempts, reason'),
    waiting_sequence: into('waiting_marks', 'sequence, forwarder, replay'),
    dead_letters_sequence: (row) => { if (Number(row.values[0]) < SEQUENCE_LIMIT) deadMark(row) }
  }
}
