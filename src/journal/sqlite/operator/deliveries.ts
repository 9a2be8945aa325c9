import type { DeadLetter, DeadLetterQuery, DeliveryDetails, DeliveryQuery, Found, ListedDelivery, RecordedTry } from '../../../delivery/operator.js'
import type { Fault } from '../../../errors.js'
import type { Connection } from '../database.js'
import { isDamage } from '../database.js'
import { DELIVERY_COLUMNS, parseJson, toDelivery, toRow, toRows, type DeliveryRow } from '../record.js'
import { eventTypeIs, selectDeliveries, type Sql } from './select.js'
import { createStandings } from './standing.js'

const HOLDS = ['none', 'quarantined', 'released', 'damaged'] as const
/** How many ids are told where a beginning is ambiguous. */
const AMBIGUOUS_LIMIT = 5
/** Beyond every character of an id. */
const AFTER_IDS = '\u{10FFFF}'

export function list (db: Connection, query: DeliveryQuery): readonly ListedDelivery[] {
  const { text, values } = selectDeliveries(DELIVERY_COLUMNS, query)
  const rows = toRows(db.prepare(text).all([...values]))
  const standings = createStandings(db)
  return rows.map((row) => toListed(row, standings))
}

function toListed (row: DeliveryRow, standings: ReturnType<typeof createStandings>): ListedDelivery {
  return {
    sequence: row.sequence,
    id: row.id,
    receivedAt: row.received_at,
    eventType: row.event_type,
    verdict: row.verdict,
    hold: HOLDS[row.hold] ?? 'damaged',
    sourceObject: row.source_object,
    sourceId: row.source_id,
    eventId: row.event_id,
    projectId: row.project_id,
    customerId: row.customer_id,
    campaignId: row.campaign_id,
    duplicates: row.duplicates,
    bodyBytes: row.body_bytes,
    faults: row.faults === null ? [] : parseJson<Fault[]>(row.faults) ?? [],
    forwarders: standings(row)
  }
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
    ...toListed(row, createStandings(db)),
    headers: headers ?? {},
    rawBody,
    damaged: toDelivery(row, rawBody) === undefined,
    attempts: readAttempts(db, sequence)
  }
}

/** Reads bodies; `undefined` for one that is gone or can't be read. */
export function bodyReader (db: Connection): (sequence: number) => Uint8Array | undefined {
  const prepare = (): ReturnType<Connection['prepare']> => db.prepare('SELECT raw_body AS rawBody FROM bodies WHERE sequence = ?')
  let select = prepare()
  return (sequence) => {
    try {
      return (select.get([sequence]) as { rawBody: Uint8Array } | undefined)?.rawBody
    } catch (error) {
      if (!isDamage(error)) throw error
      // A statement that has failed once fails from then on: libsql does not reset it.
      select = prepare()
      return undefined
    }
  }
}

function readAttempts (db: Connection, sequence: number): readonly RecordedTry[] {
  const rows = db.prepare(`SELECT forwarder, replay, (SELECT kind FROM replays WHERE number = replay) AS kind, attempt, started_at, duration_ms, outcome, detail
    FROM attempts WHERE sequence = ? ORDER BY started_at, rowid`).all([sequence]) as Array<{
    forwarder: string, replay: number, kind: string | null, attempt: number, started_at: number, duration_ms: number, outcome: string, detail: string | null
  }>
  return rows.map((row) => ({
    forwarder: row.forwarder,
    replay: row.replay > 0 && row.kind !== 'release',
    attempt: row.attempt,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    outcome: row.outcome,
    detail: row.detail
  }))
}

export function deadLetters (db: Connection, { forwarder, eventType, before, limit }: DeadLetterQuery): readonly DeadLetter[] {
  const where: Sql[] = [
    ...before === undefined ? [] : [{ text: 'l.sequence < ?', values: [before] }],
    ...forwarder === undefined ? [] : [{ text: 'l.forwarder = ?', values: [forwarder] }],
    ...eventType === undefined ? [] : [eventTypeIs(eventType)]
  ]
  const known = (db.prepare('SELECT count(*) AS n FROM forwarders').get([]) as { n: number }).n
  const rows = db.prepare(`SELECT l.forwarder, l.sequence, d.id, d.event_type AS eventType, d.customer_id AS customerId, d.received_at AS receivedAt,
      l.died_at AS diedAt, l.attempts, l.reason,
      EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = l.sequence AND w.forwarder = l.forwarder) AS replaying
    FROM dead_letters l ${forwarder === undefined ? 'INDEXED BY dead_letters_sequence' : ''} CROSS JOIN deliveries d ON d.sequence = l.sequence
    ${where.length === 0 ? '' : `WHERE ${where.map(({ text }) => text).join(' AND ')}`}
    ORDER BY l.sequence DESC, l.forwarder LIMIT ?`)
    .all([...where.flatMap(({ values }) => values), limit + known]) as Array<Omit<DeadLetter, 'replaying'> & { replaying: number }>
  // A page never ends between two forwarders' letters of one delivery: the next one begins before its sequence.
  const last = rows[limit - 1]?.sequence
  return rows.filter((row, index) => index < limit || row.sequence === last).map((row) => ({ ...row, replaying: row.replaying === 1 }))
}
