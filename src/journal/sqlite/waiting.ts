import type { WaitingMark } from '../feed-store.js'
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

const COLUMNS = 'replay, sequence, lane, attempt, waited_ms, delay_ms, due_at'

/** What waits on the first way through a forwarder, in the journal's order. */
export function readWaiting (db: Connection, forwarder: string, now: number): readonly WaitingMark[] {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM waiting WHERE forwarder = ? AND replay = 0 ORDER BY sequence`).all([forwarder])
  return rows.map((row) => toMark(toText(row), now))
}

export function readReplaysAfter (
  db: Connection, forwarder: string, after: { readonly replay: number, readonly sequence: number }, limit: number, now: number
): readonly WaitingMark[] {
  const rows = db.prepare(`SELECT ${COLUMNS}, (SELECT kind FROM replays WHERE number = replay) AS kind FROM waiting
    WHERE forwarder = ? AND replay > 0 AND (replay, sequence) > (?, ?) ORDER BY replay, sequence LIMIT ?`).all([forwarder, after.replay, after.sequence, limit])
  return rows.map((row) => toMark(toText(row), now))
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
