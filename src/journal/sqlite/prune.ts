import type { Pruned } from '../../delivery/operator-requests.js'
import { pragma, transaction, type Connection } from './database.js'
import type { PruneOptions } from '../engine.js'
import { IS_QUARANTINED } from '../conditions.js'
import { STATE } from '../record.js'

/** Replays looked at in one step, the oldest first. What is left of them are rows of attempts, so there are few. */
const REPLAYS_LOOKED_AT = 10_000
/** Pages given back to the file system in one step: 4 MiB. */
const VACUUM_PAGES = 1024
/** The part of the store's greatest size that is for what is in quarantine. */
const QUARANTINE_SHARE = 0.25
/** What a delivery takes beside its body, in bytes: its record, and its part of the indexes. */
const RECORD_BYTES = 1024

interface Row {
  readonly sequence: number
  readonly receivedAt: number
}

/**
 * One small step of retention: looks at some of the oldest deliveries, removes those that every forwarder has finished with,
 * and gives their space back; and so with replays that are over. What waits or is a dead letter stays, however old. What is in quarantine
 * goes by rules of its own, in the steps that begin at the beginning.
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
    // The limit stands inside, so that many that must stay do not make the step a long one.
    const rows = db.prepare(`
      SELECT d.sequence, d.received_at AS receivedAt, d.hold <> ${STATE.quarantined}
        AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = d.sequence)
        AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.sequence = d.sequence) AS finished
      FROM (SELECT sequence, received_at, hold FROM deliveries WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?) d`)
      .all([after, finishedUpTo(db), limit]) as Array<Row & { readonly finished: number }>
    const old = tooLarge ? rows : olderThan(db, rows, receivedBefore, now)
    const chosen = old.filter(({ finished }) => finished === 1)
    removeDeliveries(db, chosen)
    removeKeysOf(db, chosen, keysBefore)
    const keys = removeKeys(db, { keysBefore, limit })
    const replays = removeReplays(db, { receivedBefore, limit })
    const more = (rows.length === limit && old.length > 0) || keys.more || replays === limit
    return { removed: chosen.length, next: more ? rows.at(-1)?.sequence ?? after : undefined }
  })
}

/** What nobody has released for too long goes, and where its share of the store is full, the oldest of it. */
function pruneQuarantine (db: Connection, { now, quarantinedBefore, maxBytes, keysBefore, limit }: PruneOptions): { readonly removed: number, readonly evicted: number, readonly more: boolean } {
  // Within the transaction, so that nobody releases meanwhile what is chosen.
  return transaction(db, () => {
    const rows = db.prepare(`SELECT sequence, received_at AS receivedAt FROM deliveries INDEXED BY deliveries_held
      WHERE ${IS_QUARANTINED} ORDER BY sequence LIMIT ?`).all([limit]) as Row[]
    if (rows.length === 0) return { removed: 0, evicted: 0, more: false }
    const isFull = maxBytes > 0 && quarantinedBytes(db) > maxBytes * QUARANTINE_SHARE
    const old = olderThan(db, rows, quarantinedBefore, now)
    const chosen = isFull ? rows.slice(0, Math.max(old.length, Math.ceil(rows.length / 10))) : old
    removeDeliveries(db, chosen)
    removeKeysOf(db, chosen, keysBefore)
    return { removed: chosen.length, evicted: chosen.length - old.length, more: isFull || chosen.length === limit }
  })
}

/** Those at the beginning of a page that are old enough: none of a later time than now is younger than what follows it. */
function olderThan<T extends Row> (db: Connection, rows: readonly T[], receivedBefore: number, now: number): readonly T[] {
  const last = rows.at(-1)
  if (last === undefined) return []
  const next = last.receivedAt <= now
    ? undefined
    : db.prepare('SELECT received_at AS receivedAt FROM deliveries WHERE sequence > ? AND received_at <= ? ORDER BY sequence LIMIT 1').get([last.sequence, now]) as { receivedAt: number } | undefined
  let youngest = next?.receivedAt ?? Infinity
  const old: T[] = []
  for (const row of rows.toReversed()) {
    if (row.receivedAt <= now) youngest = row.receivedAt
    if (Math.min(youngest, row.receivedAt) < receivedBefore) old.push(row)
  }
  return old.reverse()
}

/** Removes deliveries with all that belongs to them but for their deduplication keys. */
export function removeDeliveries (db: Connection, rows: ReadonlyArray<Pick<Row, 'sequence'>>): void {
  for (const table of ['attempts', 'bodies', 'deliveries']) {
    const statement = db.prepare(`DELETE FROM ${table} WHERE sequence = ?`)
    for (const { sequence } of rows) statement.run([sequence])
  }
}

/** Removes the keys that go with their deliveries; those that are not old enough yet go later, by themselves. */
function removeKeysOf (db: Connection, rows: readonly Row[], keysBefore: number): void {
  const statement = db.prepare('DELETE FROM dedupe_keys WHERE received_at = ? AND sequence = ?')
  for (const { sequence, receivedAt } of rows) if (receivedAt < keysBefore) statement.run([receivedAt, sequence])
}

interface KeyPlace {
  readonly receivedAt: number
  readonly key: string
}

/** The key that was looked at last. Keys that stay are walked past in steps of one sweep after another, and then from the beginning again. */
const lastKeys = new WeakMap<Connection, KeyPlace>()
const BEFORE_ALL_KEYS: KeyPlace = { receivedAt: -Infinity, key: '' }

/** Removes keys that are old enough and have outlived their delivery. As long as that is in the store, a copy of it can be told. */
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

/** What is in quarantine takes so many bytes, about. */
function quarantinedBytes (db: Connection): number {
  const row = db.prepare(`SELECT coalesce(sum(body_bytes + ${RECORD_BYTES}), 0) AS bytes FROM deliveries INDEXED BY deliveries_held
    WHERE ${IS_QUARANTINED}`).get() as { bytes: number }
  return row.bytes
}

/** Removes what was asked for long ago, and of which nothing waits and no attempt is left; returns how many. The last one stays: it has the greatest number. */
function removeReplays (db: Connection, { receivedBefore, limit }: Pick<PruneOptions, 'receivedBefore' | 'limit'>): number {
  // `waiting` is in the order of the forwarders first: each is looked at for itself.
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
 * The sequence up to which the cursor of every forwarder has come, those that are not configured any more among them.
 * Where there has never been one, nobody is waited for.
 */
function finishedUpTo (db: Connection): number {
  const row = db.prepare('SELECT min(cursor) AS cursor FROM forwarders').get([]) as { cursor: number | null }
  return row.cursor ?? Number.MAX_SAFE_INTEGER
}

/** The bytes that the database's content takes, free pages not counted. */
export function usedBytes (db: Connection): number {
  return (Number(pragma(db, 'page_count')) - Number(pragma(db, 'freelist_count'))) * Number(pragma(db, 'page_size'))
}
