import type { DueMarks, FeedReads, MarkPlace, WaitingMark } from '../engine.js'
import type { MarkKind } from '../schedule.js'
import { DISCARDED_WITHIN } from '../limits.js'
import type { Connection } from './database.js'
import { toText } from '../record.js'

interface WaitingRow extends Pick<WaitingMark, 'replay' | 'sequence' | 'lane' | 'attempt' | 'waitedMs'> {
  readonly delayMs: number
  readonly dueAt: number
  readonly kind: 'replay' | 'release' | 'forced' | null
}

const COLUMNS = `replay, sequence, lane, attempt, waited_ms AS waitedMs, delay_ms AS delayMs, due_at AS dueAt,
  CASE WHEN replay > 0 THEN (SELECT kind FROM replays WHERE number = replay) END AS kind`
/** Without `INDEXED BY`, SQLite would choose indexes that read all marks. */
const KINDS = {
  first: { due: 'INDEXED BY waiting_due', is: 'replay = 0', order: 'due_at, sequence', after: 'replay = ? AND sequence > ?' },
  replay: { due: 'INDEXED BY waiting_due_replays', is: 'replay > 0', order: 'due_at, replay, sequence', after: '(replay, sequence) > (?, ?)' }
} as const

export interface ReadDue {
  readonly withinMs: number
  readonly limit: number
  /** Deliveries after this sequence must not be read yet. */
  readonly visible: number
}

/**
 * Reads the marks that are due. The column `behind` excludes those that wait for another mark of their lane and kind. If the clock was
 * set back, marks written before count as due, each with its whole delay: otherwise they would wait until the clock has caught up.
 */
export function readDue (db: Connection, now: number, forwarder: string, kind: MarkKind, { withinMs, limit, visible }: ReadDue): DueMarks {
  const soon = now + withinMs
  const read = (condition: string, values: readonly number[], atMost: number): readonly WaitingRow[] => db.prepare(`SELECT ${COLUMNS} FROM waiting ${KINDS[kind].due}
    WHERE forwarder = ? AND behind = 0 AND ${KINDS[kind].is} AND sequence <= ? AND ${condition} ORDER BY ${KINDS[kind].order} LIMIT ?`)
    .all([forwarder, visible, ...values, atMost]).map((row) => toText<WaitingRow>(row))

  const due = [...read('due_at <= ?', [soon], limit)]
  let [next] = due.length === limit ? [] : read('due_at > ?', [soon], 1)
  if (next !== undefined && next.dueAt - next.delayMs > now) {
    due.push(...read('due_at > ? AND due_at - delay_ms > ?', [soon, now], limit - due.length))
    next = read('due_at > ? AND due_at - delay_ms <= ?', [soon, now], 1)[0]
  }
  const marks = due.map((row) => toMark(row, now))
  if (due.length === limit) return { marks, nextInMs: 0 }
  return { marks, nextInMs: next === undefined ? undefined : toMark(next, now).dueInMs }
}

/** Sequences after the cursor that are already settled, ascending: deliveries with a mark of their first pass, and dead letters, discarded or not. */
export function settledAfter (db: Connection, forwarder: string, cursor: number): Float64Array {
  const rows = db.prepare(`SELECT sequence FROM waiting WHERE forwarder = ?1 AND replay = 0 AND sequence > ?2
    UNION SELECT sequence FROM dead_letters WHERE forwarder = ?1 AND sequence > ?2
    UNION SELECT sequence FROM attempts WHERE sequence > ?2 AND sequence <= ?2 + ${DISCARDED_WITHIN} AND forwarder = ?1 AND outcome = 'discarded' ORDER BY sequence`).all([forwarder, cursor])
  return Float64Array.from(rows, (row) => Number(Object.values(row)[0]))
}

/** Whether there are marks of deliveries that must not be read yet. */
export function hasMarksBeyond (db: Connection, visible: number): boolean {
  return db.prepare('SELECT 1 FROM waiting WHERE sequence > ? LIMIT 1').get([visible]) !== undefined
}

export function readLanes (db: Connection, now: number, ...[forwarder, kind, lanes, limit]: Parameters<FeedReads['readLanes']>): readonly WaitingMark[] {
  const select = db.prepare(`SELECT ${COLUMNS} FROM waiting INDEXED BY waiting_lane WHERE forwarder = ? AND lane = ? AND ${KINDS[kind].after}
    ORDER BY replay, sequence LIMIT ?`)
  return lanes.flatMap(({ lane, after }) => select.all([forwarder, lane, ...valuesOf(kind, after), limit]).map((row) => toMark(toText(row), now)))
}

export function readMarks (db: Connection, now: number, ...[forwarder, kind, after, limit]: Parameters<FeedReads['readMarks']>): readonly WaitingMark[] {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM waiting WHERE forwarder = ? AND ${KINDS[kind].after}
    ORDER BY replay, sequence LIMIT ?`).all([forwarder, ...valuesOf(kind, after), limit])
  return rows.map((row) => toMark(toText(row), now))
}

/** In this order, replays come after all marks of the first pass. */
function valuesOf (kind: MarkKind, { replay, sequence }: MarkPlace): readonly [number, number] {
  return kind === 'replay' && replay === 0 ? [0, Number.MAX_SAFE_INTEGER] : [replay, sequence]
}

/** Limits each wait to its original delay. After the clock was set back, marks would otherwise wait until it has caught up. */
export function shortenWaits (db: Connection, now: number): void {
  db.prepare('UPDATE waiting SET due_at = ? + delay_ms WHERE due_at - delay_ms > ?').run([now, now])
}

/**
 * Converts a row. The time left is taken from the wall clock, which may have jumped since the mark was written. So it is limited to
 * the original delay, and is never negative.
 */
function toMark ({ kind, delayMs, dueAt, ...mark }: WaitingRow, now: number): WaitingMark {
  const why = kind === 'release' ? { released: true } : kind === 'forced' ? { forced: true } : {}
  return { ...mark, ...why, dueInMs: Math.min(delayMs, Math.max(0, dueAt - now)) }
}
