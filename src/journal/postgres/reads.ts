import type { Logger } from 'pino'
import type { Delivery } from '../../delivery/delivery.js'
import type { DueMarks, ForwardEngine, MarkPlace, WaitingMark } from '../engine.js'
import { DELIVERY_COLUMNS, STATE, toDelivery, type DeliveryRow } from '../record.js'
import type { MarkKind } from '../schedule.js'
import type { Database } from './database.js'

export interface StoredRow extends DeliveryRow {
  readonly raw_body: Buffer
}

interface MarkRow extends Pick<WaitingMark, 'replay' | 'sequence' | 'lane' | 'attempt'> {
  readonly waited_ms: number
  readonly delay_ms: number
  readonly left_ms: number
  readonly kind: 'replay' | 'release' | 'forced' | null
}

const KINDS = {
  first: { is: 'w.replay = 0', order: 'w.due_at, w.sequence', after: (replay: string, sequence: string) => `w.replay = ${replay} AND w.sequence > ${sequence}` },
  replay: { is: 'w.replay > 0', order: 'w.due_at, w.replay, w.sequence', after: (replay: string, sequence: string) => `(w.replay, w.sequence) > (${replay}, ${sequence})` }
} as const

export const BODY_COLUMNS = `${DELIVERY_COLUMNS}, d.raw_body`

type Reads = Pick<ForwardEngine, 'readAfter' | 'readMany' | 'readDue' | 'readLanes' | 'readMarks' | 'unfinished'>

/** Makes the reads of feeds. Most reads are one statement and so see the database at one moment. */
export function createReads (database: Database, logger: Logger): Reads & { /** Converts rows to deliveries. Leaves out rows that differ from their checksums, and marks them as damaged. */ readonly sound: (rows: readonly StoredRow[]) => readonly Delivery[] } {
  const { query, schema: s } = database
  const columns = `w.replay, w.sequence, w.lane, w.attempt, w.waited_ms, w.delay_ms, w.due_at - ${s}.now_ms() AS left_ms,
    CASE WHEN w.replay > 0 THEN (SELECT kind FROM ${s}.replays r WHERE r.number = w.replay) END AS kind`

  function sound (rows: readonly StoredRow[]): readonly Delivery[] {
    const read = rows.map((row) => ({ row, delivery: toDelivery(row, row.raw_body) }))
    const damaged = read.filter(({ delivery }) => delivery === undefined).map(({ row }) => row.sequence)
    if (damaged.length > 0) {
      logger.error({ sequences: damaged }, 'damaged records set aside')
      query(`UPDATE ${s}.deliveries SET hold = ${STATE.damaged} WHERE sequence = ANY ($1::bigint[])`, [damaged])
        .catch((error: unknown) => { logger.warn({ err: error, sequences: damaged }, 'damaged records not marked') })
    }
    return read.flatMap(({ delivery }) => delivery ?? [])
  }

  async function due (forwarder: string, kind: MarkKind, condition: string, values: readonly number[], limit: number): Promise<readonly MarkRow[]> {
    return await query<MarkRow>(`SELECT ${columns} FROM ${s}.waiting w, (SELECT ${s}.now_ms() AS now) t WHERE w.forwarder = $1 AND NOT w.behind AND ${KINDS[kind].is} AND ${condition}
      ORDER BY ${KINDS[kind].order} LIMIT $2`, [forwarder, limit, ...values])
  }

  return {
    sound,

    async readAfter (after, limit, limitBytes) {
      // Reads along the index. A plain join that is planned before the table has statistics would read the whole table for each page.
      const rows = await query<StoredRow & { readonly last: number }>(`SELECT c.value AS last, p.* FROM ${s}.counters c LEFT JOIN LATERAL (
        SELECT * FROM (SELECT ${BODY_COLUMNS}, sum(d.body_bytes) OVER (ORDER BY d.sequence) - d.body_bytes AS before FROM ${s}.deliveries d WHERE d.sequence > $1 ORDER BY d.sequence LIMIT $2) f
        WHERE before = 0 OR before < $3) p ON true WHERE c.name = 'sequence' ORDER BY p.sequence`, [after, limit, limitBytes])
      const stored = rows.filter(({ sequence }) => sequence !== null)
      const isAll = stored.length < limit && stored.reduce((bytes, row) => bytes + row.body_bytes, 0) < limitBytes
      const upTo = isAll ? Math.max(after, rows[0]?.last ?? 0) : stored.at(-1)?.sequence ?? after
      return { deliveries: sound(stored.filter(({ hold }) => hold === STATE.accepted)), upTo, isAll }
    },

    async readMany (sequences) {
      const rows = await query<StoredRow>(`SELECT ${BODY_COLUMNS} FROM ${s}.deliveries d WHERE d.sequence = ANY ($1::bigint[]) AND d.hold NOT IN (${STATE.damaged}, ${STATE.erased})`, [[...new Set(sequences)]])
      return new Map(sound(rows).map((delivery) => [delivery.sequence, delivery]))
    },

    async readDue (forwarder, kind, { withinMs, limit }): Promise<DueMarks> {
      // If the clock was set back, older marks would not be due until it reaches their time again. Such marks are read too, so that no mark
      // waits longer than its delay.
      const rows = await due(forwarder, kind, '(w.due_at <= t.now + $3 OR w.due_at - w.delay_ms > t.now)', [withinMs], limit)
      if (rows.length === limit) return { marks: rows.map(toMark), nextInMs: 0 }
      const [next] = await due(forwarder, kind, 'w.due_at > t.now + $3 AND w.due_at - w.delay_ms <= t.now', [withinMs], 1)
      return { marks: rows.map(toMark), nextInMs: next === undefined ? undefined : toMark(next).dueInMs }
    },

    async readLanes (forwarder, kind, lanes, limit) {
      // Reads all lanes in one statement: with thousands of statements, the last would wait too long for a connection.
      const after = lanes.map(({ after }) => placeOf(kind, after))
      const rows = await query<MarkRow>(`SELECT m.* FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS l (lane, replay, sequence) CROSS JOIN LATERAL (SELECT ${columns} FROM ${s}.waiting w
        WHERE w.forwarder = $1 AND w.lane = l.lane AND ${KINDS[kind].after('l.replay', 'l.sequence')} ORDER BY w.replay, w.sequence LIMIT $5) m
        ORDER BY m.replay, m.sequence`,
      [forwarder, lanes.map(({ lane }) => lane), after.map(([replay]) => replay), after.map(([, sequence]) => sequence), limit])
      return rows.map(toMark)
    },

    async readMarks (forwarder, kind, after, limit) {
      const rows = await query<MarkRow>(`SELECT ${columns} FROM ${s}.waiting w WHERE w.forwarder = $1 AND ${KINDS[kind].after('$2', '$3')}
        ORDER BY w.replay, w.sequence LIMIT $4`, [forwarder, ...placeOf(kind, after), limit])
      return rows.map(toMark)
    },

    async unfinished (forwarder, ids) {
      return await readUnfinished(database, { forwarder, ids })
    }
  }
}

/** Returns those of the deliveries that a forwarder has not finished: they are after its cursor, or have a mark. */
export async function readUnfinished ({ query, schema: s }: Database, { forwarder, ids }: { readonly forwarder: string, readonly ids: readonly string[] }): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(`SELECT d.id FROM ${s}.deliveries d JOIN ${s}.forwarders f ON f.name = $1 WHERE d.id = ANY ($2) AND (
    (d.hold = ${STATE.accepted} AND d.sequence > f.cursor AND NOT EXISTS (SELECT 1 FROM ${s}.dead_letters l WHERE l.forwarder = f.name AND l.sequence = d.sequence))
    OR EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.forwarder = f.name AND w.sequence = d.sequence))`, [forwarder, ids])
  const found = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => found.has(id))
}

/** Replays are ordered after the whole first pass, which is replay 0. When replays are read, a place in the first pass therefore means its end. */
function placeOf (kind: MarkKind, { replay, sequence }: MarkPlace): readonly [number, number] {
  return kind === 'replay' && replay === 0 ? [0, Number.MAX_SAFE_INTEGER] : [replay, sequence]
}

/** Converts a row to a mark. The time left is at least 0 and at most the whole delay. */
function toMark ({ kind, delay_ms: delayMs, left_ms: leftMs, waited_ms: waitedMs, ...mark }: MarkRow): WaitingMark {
  const why = kind === 'release' ? { released: true } : kind === 'forced' ? { forced: true } : {}
  return { replay: mark.replay, sequence: mark.sequence, lane: mark.lane, attempt: mark.attempt, waitedMs, ...why, dueInMs: Math.min(delayMs, Math.max(0, leftMs)) }
}
