import type { DueMarks, MarkPlace, WaitingMark } from '../feed-store.js'
import type { MarkKind } from '../schedule.js'
import type { Connection } from './database.js'
import { toText } from './record.js'

interface WaitingRow {
  readonly replay: number
  readonly sequence: number
  readonly lane: string | null
  readonly attempt: number
  readonly waited_ms: number
  readonly delay_ms: number
  readonly due_at: number
  readonly kind?: 'replay' | 'release' | 'forced' | null
}

const COLUMNS = `replay, sequence, lane, attempt, waited_ms, delay_ms, due_at,
  CASE WHEN replay > 0 THEN (SELECT kind FROM replays WHERE number = replay) END AS kind`
/** SQLite would choose indexes by itself that read all that waits. */
const KINDS = {
  first: { due: 'INDEXED BY waiting_due', is: 'replay = 0', order: 'due_at, sequence', after: 'replay = ? AND sequence > ?' },
  replay: { due: 'INDEXED BY waiting_due_replays', is: 'replay > 0', order: 'due_at, replay, sequence', after: '(replay, sequence) > (?, ?)' }
} as const

export interface ReadDue {
  readonly forwarder: string
  readonly kind: MarkKind
  readonly withinMs: number
  readonly limit: number
  /** Nothing beyond this sequence is to be seen yet. */
  readonly visible: number
}

/** The engine keeps of each mark whether another of its lane and kind is before it. */
export function readDue (db: Connection, { forwarder, kind, withinMs, limit, visible }: ReadDue, now: number): DueMarks {
  const due = `FROM waiting ${KINDS[kind].due} WHERE forwarder = ? AND behind = 0 AND ${KINDS[kind].is} AND sequence <= ?`
  const rows = db.prepare(`SELECT ${COLUMNS} ${due} AND due_at <= ? ORDER BY ${KINDS[kind].order} LIMIT ?`).all([forwarder, visible, now + withinMs, limit])
  const marks = rows.map((row) => toMark(toText(row), now))
  if (rows.length === limit) return { marks, nextInMs: 0 }
  const next = db.prepare(`SELECT ${COLUMNS} ${due} AND due_at > ? ORDER BY ${KINDS[kind].order} LIMIT 1`).get([forwarder, visible, now + withinMs])
  return { marks, nextInMs: next === undefined ? undefined : toMark(toText(next), now).dueInMs }
}

/** Sequences after the cursor that wait on their first way or are dead letters, ascending. */
export function settledAfter (db: Connection, forwarder: string, cursor: number): Float64Array {
  const rows = db.prepare(`SELECT sequence FROM waiting WHERE forwarder = ? AND replay = 0 AND sequence > ?
    UNION SELECT sequence FROM dead_letters WHERE forwarder = ? AND sequence > ? ORDER BY sequence`).all([forwarder, cursor, forwarder, cursor])
  return Float64Array.from(rows, (row) => Number(Object.values(row)[0]))
}

/** Whether there are marks of what is not to be seen yet. */
export function hasMarksBeyond (db: Connection, visible: number): boolean {
  return db.prepare('SELECT 1 FROM waiting WHERE sequence > ? LIMIT 1').get([visible]) !== undefined
}

export interface ReadLanes {
  readonly forwarder: string
  readonly kind: MarkKind
  readonly lanes: ReadonlyArray<{ readonly lane: string, readonly after: MarkPlace }>
  readonly limit: number
}

export function readLanes (db: Connection, { forwarder, kind, lanes, limit }: ReadLanes, now: number): readonly WaitingMark[] {
  const select = db.prepare(`SELECT ${COLUMNS} FROM waiting INDEXED BY waiting_lane WHERE forwarder = ? AND lane = ? AND ${KINDS[kind].after}
    ORDER BY replay, sequence LIMIT ?`)
  return lanes.flatMap(({ lane, after }) => select.all([forwarder, lane, ...valuesOf(kind, after), limit]).map((row) => toMark(toText(row), now)))
}

export interface ReadMarks {
  readonly forwarder: string
  readonly kind: MarkKind
  readonly after: MarkPlace
  readonly limit: number
}

export function readMarks (db: Connection, { forwarder, kind, after, limit }: ReadMarks, now: number): readonly WaitingMark[] {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM waiting WHERE forwarder = ? AND ${KINDS[kind].after}
    ORDER BY replay, sequence LIMIT ?`).all([forwarder, ...valuesOf(kind, after), limit])
  return rows.map((row) => toMark(toText(row), now))
}

/** Replays come after all that is on its first way. */
function valuesOf (kind: MarkKind, { replay, sequence }: MarkPlace): readonly [number, number] {
  return kind === 'replay' && replay === 0 ? [0, Number.MAX_SAFE_INTEGER] : [replay, sequence]
}

/** After a clock was set back, marks that were written before would wait for it to come there again. None waits longer than it was to. */
export function shortenWaits (db: Connection, now: number): void {
  db.prepare('UPDATE waiting SET due_at = ? + delay_ms WHERE due_at - delay_ms > ?').run([now, now])
}

/**
 * The time that is left is read off the wall clock, which may have stepped since it was written: it is never more than
 * the whole wait, and never less than nothing.
 */
function toMark (row: WaitingRow, now: number): WaitingMark {
  return {
    sequence: row.sequence,
    replay: row.replay,
    ...(row.kind === 'release' ? { released: true } : {}),
    ...(row.kind === 'forced' ? { forced: true } : {}),
    lane: row.lane,
    attempt: row.attempt,
    waitedMs: row.waited_ms,
    dueInMs: Math.min(row.delay_ms, Math.max(0, row.due_at - now))
  }
}
