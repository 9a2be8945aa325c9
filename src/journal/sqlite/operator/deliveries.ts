import type { DeliveryDetails, DeliveryQuery, Found, ListedDelivery, Page, PageQuery, RecordedTry } from '../../../delivery/listing.js'
import { unlessDamaged, type Connection } from '../database.js'
import { DELIVERY_COLUMNS, parseJson, toDelivery, toListed, toRow, toRows } from '../../record.js'
import { selectDeliveries, selectFloor } from './select.js'
import { createStatuses } from './status.js'

/** Records that one call looks at, which takes some 20 ms. */
const LOOK_AT = 25_000
/** The same where they are found by way of what waits or is dead, each at a place of its own. */
const LOOK_AT_APART = 5000
/** How many ids are told where a beginning is ambiguous. */
const AMBIGUOUS_LIMIT = 5
/** Beyond every character of an id. */
const AFTER_IDS = '\u{10FFFF}'

export function list (db: Connection, query: DeliveryQuery): readonly ListedDelivery[] {
  const { text, values } = selectDeliveries(DELIVERY_COLUMNS, query)
  const rows = toRows(db.prepare(text).all([...values]))
  const statuses = createStatuses(db)
  return rows.map((row) => toListed(row, statuses(row)))
}

/**
 * What a page looks at and the filter does not let through is passed over with its bound, so that a filter that lets nothing
 * through takes as many calls as it needs, and none of them long.
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

/** Reads bodies; `undefined` for one that is gone or can't be read. */
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
