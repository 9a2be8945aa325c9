import type { DeliveryDetails, DeliveryQuery, Found, ListedDelivery, Page, PageQuery, RecordedTry } from '../../../delivery/listing.js'
import { unlessDamaged, type Connection } from '../database.js'
import { DELIVERY_COLUMNS, parseJson, toDelivery, toListed, toRow, toRows } from '../../record.js'
import { selectDeliveries, selectFloor } from './select.js'
import { createStatuses } from './status.js'

/** Records examined per call, which takes some 20 ms. */
const LOOK_AT = 25_000
/** The same for filters on marks and dead letters, because each of their records is in a different place. */
const LOOK_AT_APART = 5000
/** How many ids are returned for an ambiguous prefix. */
const AMBIGUOUS_LIMIT = 5
/** Sorts after every character of an id. */
const AFTER_IDS = '\u{10FFFF}'

export function list (db: Connection, query: DeliveryQuery): readonly ListedDelivery[] {
  const { text, values } = selectDeliveries(DELIVERY_COLUMNS, query)
  const rows = toRows(db.prepare(text).all([...values]))
  const statuses = createStatuses(db)
  return rows.map((row) => toListed(row, statuses(row)))
}

/**
 * Returns one page. Examines at most `lookAt` records, and returns where to go on. So a filter that matches nothing needs several calls,
 * and none of them is long.
 */
export function page (db: Connection, { lookAt, ...query }: PageQuery): Page<ListedDelivery> {
  const { status } = query.filter
  const most = lookAt ?? (status === 'retrying' || status === 'dead' ? LOOK_AT_APART : LOOK_AT)
  const { text, values } = selectFloor(query, most)
  const floor = (db.prepare(text).get([...values]) as { sequence: number } | undefined)?.sequence
  const after = floor === undefined ? query.after : floor - 1
  const found = list(db, { ...query, after, limit: query.limit + 1, order: 'newest first' })
  const items = found.slice(0, query.limit)
  return { items, next: found.length > query.limit ? items.at(-1)?.sequence : floor }
}

export function find (db: Connection, idPrefix: string): Found {
  const prefix = idPrefix.toLowerCase()
  const rows = db.prepare('SELECT id, sequence FROM deliveries WHERE id >= ? AND id < ? ORDER BY id LIMIT ?')
    .all([prefix, `${prefix}${AFTER_IDS}`, AMBIGUOUS_LIMIT]) as Array<{ id: string, sequence: number }>
  const [first] = rows
  if (first === undefined) return { status: 'unknown' }
  if (rows.length > 1 && first.id !== prefix) return { status: 'ambiguous', ids: rows.map(({ id }) => id) }
  return { status: 'found', sequence: first.sequence, id: first.id }
}

export function read (db: Connection, sequence: number): DeliveryDetails | undefined {
  const row = toRow(db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence = ?`).get([sequence]))
  if (row === undefined) return undefined
  const rawBody = bodyReader(db)(sequence)
  const headers = parseJson<Record<string, string>>(row.headers)
  return {
    ...toListed(row, createStatuses(db)(row)),
    headers: headers ?? {},
    rawBody,
    damaged: toDelivery(row, rawBody) === undefined,
    attempts: readAttempts(db, sequence)
  }
}

/** Returns a function that reads bodies; `undefined` for one that is gone or cannot be read. */
export function bodyReader (db: Connection): (sequence: number) => Uint8Array | undefined {
  const select = db.prepare('SELECT raw_body AS rawBody FROM bodies WHERE sequence = ?')
  return (sequence) => unlessDamaged(() => (select.get([sequence]) as { rawBody: Uint8Array } | undefined)?.rawBody, undefined)
}

function readAttempts (db: Connection, sequence: number): readonly RecordedTry[] {
  const rows = db.prepare(`SELECT forwarder, replay, (SELECT kind FROM replays WHERE number = replay) AS kind, attempt,
    started_at AS startedAt, duration_ms AS durationMs, outcome, detail
    FROM attempts WHERE sequence = ? ORDER BY started_at, rowid`).all([sequence]) as Array<Omit<RecordedTry, 'replay'> & { replay: number, kind: string | null }>
  return rows.map(({ replay, kind, ...row }) => ({ ...row, replay: replay > 0 && kind !== 'release' }))
}
