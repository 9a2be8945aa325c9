import type { Pruned } from '../../delivery/operator-requests.js'
import { pragma, transaction, type Connection } from './database.js'
import type { PruneOptions } from '../engine.js'
import { IS_QUARANTINED } from '../conditions.js'
import { STATE } from '../record.js'
import { endsInFuture, olderThan, QUARANTINE_SHARE, RECORD_BYTES, type AgedRow } from '../retention.js'

/** Replays examined in one step, the oldest first. Those that stay have marks or attempts left, so there are few. */
const REPLAYS_LOOKED_AT = 10_000
/** Pages returned to the file system in one step: 4 MiB. */
const VACUUM_PAGES = 1024

/**
 * Does one small step of retention: examines some of the oldest deliveries, removes those that every forwarder has finished, and frees
 * their space. Also removes old deduplication keys and finished replays. Deliveries that wait and dead letters stay, however old.
 * Quarantined deliveries have their own rules; the first step of a run (`after` is 0) removes them.
 */
export function prune (db: Connection, options: PruneOptions): Pruned {
  const quarantine = options.after === 0 ? pruneQuarantine(db, options) : { removed: 0, evicted: 0, more: false }
  const finished = quarantine.more ? { removed: 0, next: 0 } : pruneFinished(db, options)
  db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
  return { removed: quarantine.removed + finished.removed, evicted: quarantine.evicted, next: finished.next }
}

function pruneFinished (db: Connection, { now, receivedBefore, maxBytes, keysBefore, limit, after }: PruneOptions): Omit<Pruned, 'evicted'> {
  return transaction(db, () => {
    const tooLarge = maxBytes > 0 && usedBytes(db) > maxBytes && usedBytes(db) - quarantinedBytes(db) > maxBytes * (1 - QUARANTINE_SHARE)
    // The limit is in the inner query, so that many rows that must stay do not make the step long.
    const rows = db.prepare(`
      SELECT d.sequence, d.received_at AS receivedAt, d.hold <> ${STATE.quarantined}
        AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = d.sequence)
        AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.sequence = d.sequence) AS finished
      FROM (SELECT sequence, received_at, hold FROM deliveries WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?) d`)
      .all([after, finishedUpTo(db), limit]) as Array<AgedRow & { readonly finished: number }>
    const old = tooLarge ? rows : oldRows(db, rows, receivedBefore, now)
    const chosen = old.filter(({ finished }) => finished === 1)
    removeDeliveries(db, chosen)
    removeKeysOf(db, chosen, keysBefore)
    const keys = removeKeys(db, { keysBefore, limit })
    const replays = removeReplays(db, { receivedBefore, limit })
    const more = (rows.length === limit && old.length > 0) || keys.more || replays === limit
    return { removed: chosen.length, next: more ? rows.at(-1)?.sequence ?? after : undefined }
  })
}

/** Removes deliveries that stayed in quarantine for too long. If the quarantine's share of the store is full, also removes its oldest. */
function pruneQuarantine (db: Connection, { now, quarantinedBefore, maxBytes, keysBefore, limit }: PruneOptions): { readonly removed: number, readonly evicted: number, readonly more: boolean } {
  // Choose within the transaction, so that an operator cannot release a chosen delivery meanwhile.
  return transaction(db, () => {
    const rows = db.prepare(`SELECT sequence, received_at AS receivedAt FROM deliveries INDEXED BY deliveries_held
      WHERE ${IS_QUARANTINED} ORDER BY sequence LIMIT ?`).all([limit]) as AgedRow[]
    if (rows.length === 0) return { removed: 0, evicted: 0, more: false }
    const isFull = maxBytes > 0 && quarantinedBytes(db) > maxBytes * QUARANTINE_SHARE
    const old = oldRows(db, rows, quarantinedBefore, now)
    const chosen = isFull ? rows.slice(0, Math.max(old.length, Math.ceil(rows.length / 10))) : old
    removeDeliveries(db, chosen)
    removeKeysOf(db, chosen, keysBefore)
    return { removed: chosen.length, evicted: chosen.length - old.length, more: isFull || chosen.length === limit }
  })
}

function oldRows<T extends AgedRow> (db: Connection, rows: readonly T[], receivedBefore: number, now: number): readonly T[] {
  const next = endsInFuture(rows, now)
    ? db.prepare('SELECT received_at AS receivedAt FROM deliveries WHERE sequence > ? AND received_at <= ? ORDER BY sequence LIMIT 1').get([rows.at(-1)?.sequence ?? 0, now]) as Pick<AgedRow, 'receivedAt'> | undefined
    : undefined
  return olderThan(rows, { receivedBefore, now, following: next?.receivedAt })
}

/** Removes deliveries with all their data, except their deduplication keys. */
export function removeDeliveries (db: Connection, rows: ReadonlyArray<Pick<AgedRow, 'sequence'>>): void {
  for (const table of ['attempts', 'bodies', 'deliveries']) {
    const statement = db.prepare(`DELETE FROM ${table} WHERE sequence = ?`)
    for (const { sequence } of rows) statement.run([sequence])
  }
}

/** Removes the keys of removed deliveries. Keys that are not old enough yet are removed later, without their deliveries. */
function removeKeysOf (db: Connection, rows: readonly AgedRow[], keysBefore: number): void {
  const statement = db.prepare('DELETE FROM dedupe_keys WHERE received_at = ? AND sequence = ?')
  for (const { sequence, receivedAt } of rows) if (receivedAt < keysBefore) statement.run([receivedAt, sequence])
}

interface KeyPlace {
  readonly receivedAt: number
  readonly key: string
}

/** The last key examined. The next step goes on after it and begins again at the end, so that keys that stay are not examined every time. */
const lastKeys = new WeakMap<Connection, KeyPlace>()
const BEFORE_ALL_KEYS: KeyPlace = { receivedAt: -Infinity, key: '' }

/** Removes old keys whose delivery is gone. While a delivery is stored, its duplicates are recognised. */
function removeKeys (db: Connection, { keysBefore, limit }: Pick<PruneOptions, 'keysBefore' | 'limit'>): { readonly more: boolean } {
  const from = lastKeys.get(db) ?? BEFORE_ALL_KEYS
  const page = '(received_at, key) > (?, ?) AND received_at < ? ORDER BY received_at, key LIMIT ?'
  const values = [from.receivedAt, from.key, keysBefore, limit]
  const looked = db.prepare(`SELECT received_at AS receivedAt, key FROM dedupe_keys WHERE ${page}`).all(values) as unknown as readonly KeyPlace[]
  const { changes } = db.prepare(`
    DELETE FROM dedupe_keys WHERE key IN (
      SELECT key FROM (SELECT key, sequence FROM dedupe_keys WHERE ${page}) k WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.sequence = k.sequence))`).run(values)
  const last = looked.length === limit ? looked.at(-1) : undefined
  if (last === undefined) lastKeys.delete(db)
  else lastKeys.set(db, last)
  return { more: last !== undefined && changes > 0 }
}

/** Estimates the bytes that quarantined deliveries take. */
function quarantinedBytes (db: Connection): number {
  const row = db.prepare(`SELECT coalesce(sum(body_bytes + ${RECORD_BYTES}), 0) AS bytes FROM deliveries INDEXED BY deliveries_held
    WHERE ${IS_QUARANTINED}`).get() as { bytes: number }
  return row.bytes
}

/** Removes old replays without marks and attempts, and returns how many. The newest stays, because it has the greatest number. */
function removeReplays (db: Connection, { receivedBefore, limit }: Pick<PruneOptions, 'receivedBefore' | 'limit'>): number {
  // The primary key of `waiting` begins with the forwarder, so each forwarder is searched separately.
  return db.prepare(`
    WITH RECURSIVE waiters (name) AS (
      SELECT min(forwarder) FROM waiting UNION ALL SELECT (SELECT min(forwarder) FROM waiting WHERE forwarder > name) FROM waiters WHERE name IS NOT NULL)
    DELETE FROM replays WHERE number IN (
      SELECT number FROM (SELECT number FROM replays WHERE requested_at < ? AND number < (SELECT max(number) FROM replays) ORDER BY number LIMIT ?)
      WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.replay = number AND a.replay > 0)
        AND NOT EXISTS (SELECT 1 FROM waiters CROSS JOIN waiting w ON w.forwarder = waiters.name AND w.replay = number)
      LIMIT ?)`).run([receivedBefore, REPLAYS_LOOKED_AT, limit]).changes
}

/**
 * The lowest cursor of all forwarders, including those that are not configured any more. If there has never been a forwarder, every
 * delivery counts as finished.
 */
function finishedUpTo (db: Connection): number {
  const row = db.prepare('SELECT min(cursor) AS cursor FROM forwarders').get([]) as { cursor: number | null }
  return row.cursor ?? Number.MAX_SAFE_INTEGER
}

/** The bytes that the database's content takes, without free pages. */
export function usedBytes (db: Connection): number {
  return (Number(pragma(db, 'page_count')) - Number(pragma(db, 'freelist_count'))) * Number(pragma(db, 'page_size'))
}
