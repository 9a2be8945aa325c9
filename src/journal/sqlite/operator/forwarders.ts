import type { KnownForwarder, UnfinishedQuery } from '../../../delivery/operator-requests.js'
import { transaction, type Connection } from '../database.js'
import { STATE, toText } from '../../record.js'
import { UNKNOWN_FORWARDER } from '../salvage/settle-copies.js'

interface ForwarderRow {
  readonly name: string
  readonly cursor: number
  readonly breaker: KnownForwarder['breaker']
  readonly addedAt: number
  readonly paused: number
}

/** From this many deliveries on, counting in the index of ids is faster than in the table, which is ten times as large. */
const COUNT_BY_INDEX = 100_000

export function forwarders (db: Connection, except: readonly string[]): readonly KnownForwarder[] {
  const found = db.prepare('SELECT name, cursor, breaker, added_at AS addedAt, paused FROM forwarders f WHERE f.name <> ? ORDER BY f.name').all([UNKNOWN_FORWARDER])
  const rows = found.map((row) => toText<ForwarderRow>(row))
  return rows.filter(({ name }) => !except.includes(name)).map((row) => ({
    name: row.name,
    addedAt: row.addedAt,
    cursor: row.cursor,
    pending: countPending(db, row),
    retrying: count(db, 'SELECT count(*) AS n FROM waiting WHERE forwarder = ?', row.name),
    dead: count(db, 'SELECT count(*) AS n FROM dead_letters WHERE forwarder = ?', row.name),
    oldestReceivedAt: oldest(db, row),
    breaker: row.breaker,
    paused: row.paused === 1
  }))
}

function countPending (db: Connection, { name, cursor }: ForwarderRow): number {
  const after = countAfter(db, cursor)
  const passedOver = count(db, `SELECT count(*) AS n FROM deliveries INDEXED BY deliveries_held WHERE hold <> ${STATE.accepted} AND sequence > ?`, cursor)
  const marked = count(db, `SELECT count(*) AS n FROM (
    SELECT sequence FROM waiting WHERE forwarder = ? AND sequence > ? UNION SELECT sequence FROM dead_letters WHERE forwarder = ? AND sequence > ?) m
    CROSS JOIN deliveries d ON d.sequence = m.sequence AND d.hold = ${STATE.accepted}`, name, cursor, name, cursor)
  return after - passedOver - marked
}

/** Counts the smaller side. SQLite counts a whole table ten times faster than a part of it. */
function countAfter (db: Connection, cursor: number): number {
  const behind = lastSequence(db) - cursor
  if (behind <= COUNT_BY_INDEX) return count(db, 'SELECT count(*) AS n FROM deliveries WHERE sequence > ?', cursor)
  const first = count(db, 'SELECT coalesce(min(sequence), 0) AS n FROM deliveries')
  const index = 'INDEXED BY sqlite_autoindex_deliveries_1'
  if (cursor - first >= behind) return count(db, `SELECT count(*) AS n FROM deliveries ${index} WHERE sequence > ?`, cursor)
  return count(db, 'SELECT count(*) AS n FROM deliveries') - count(db, `SELECT count(*) AS n FROM deliveries ${cursor - first > COUNT_BY_INDEX ? index : ''} WHERE sequence <= ?`, cursor)
}

function oldest (db: Connection, { name, cursor }: ForwarderRow): number | null {
  const waiting = db.prepare(`SELECT d.received_at AS at FROM waiting w CROSS JOIN deliveries d ON d.sequence = w.sequence
    WHERE w.forwarder = ? AND w.replay = 0 ORDER BY w.sequence LIMIT 1`).get([name]) as { at: number } | undefined
  const pending = db.prepare(`SELECT received_at AS at FROM deliveries d WHERE sequence > ? AND hold = ${STATE.accepted}
    AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.forwarder = ? AND l.sequence = d.sequence) ORDER BY sequence LIMIT 1`).get([cursor, name]) as { at: number } | undefined
  if (waiting === undefined || pending === undefined) return waiting?.at ?? pending?.at ?? null
  return Math.min(waiting.at, pending.at)
}

function count (db: Connection, sql: string, ...values: readonly (string | number)[]): number {
  return (db.prepare(sql).get([...values]) as { n: number }).n
}

export function lastSequence (db: Connection): number {
  return count(db, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0) AS n")
}

/** Returns those ids whose deliveries the forwarder has not finished: they are after its cursor, or have a mark. */
export function unfinished (db: Connection, { forwarder, ids }: UnfinishedQuery): readonly string[] {
  const find = db.prepare(`SELECT 1 FROM deliveries d JOIN forwarders f ON f.name = ? WHERE d.id = ? AND (
    (d.hold = ${STATE.accepted} AND d.sequence > f.cursor AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.forwarder = f.name AND l.sequence = d.sequence))
    OR EXISTS (SELECT 1 FROM waiting w WHERE w.forwarder = f.name AND w.sequence = d.sequence))`)
  return ids.filter((id) => find.get([forwarder, id]) !== undefined)
}

export function keepPaused (db: Connection, { forwarder, paused }: { readonly forwarder: string, readonly paused: boolean }): void {
  db.prepare('UPDATE forwarders SET paused = ? WHERE name = ?').run([paused ? 1 : 0, forwarder])
}

/**
 * Removes a forwarder in small steps, so that a running service never waits for long. The forwarder's own row goes last, so that an
 * interrupted removal can be continued.
 */
export function forget (db: Connection, { forwarder, limit }: { readonly forwarder: string, readonly limit: number }): { dropped: number, done: boolean } {
  return transaction(db, () => {
    const waiting = db.prepare('DELETE FROM waiting WHERE (forwarder, replay, sequence) IN (SELECT forwarder, replay, sequence FROM waiting WHERE forwarder = ? LIMIT ?)')
      .run([forwarder, limit]).changes
    const dead = db.prepare('DELETE FROM dead_letters WHERE (forwarder, sequence) IN (SELECT forwarder, sequence FROM dead_letters WHERE forwarder = ? LIMIT ?)')
      .run([forwarder, limit - waiting]).changes
    const done = waiting + dead < limit
    if (done) db.prepare('DELETE FROM forwarders WHERE name = ?').run([forwarder])
    return { dropped: waiting + dead, done }
  })
}
