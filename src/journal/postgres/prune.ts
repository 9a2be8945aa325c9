import type { Pruned } from '../../delivery/operator-requests.js'
import type { PruneOptions } from '../engine.js'
import { IS_QUARANTINED } from '../conditions.js'
import { STATE } from '../record.js'
import { endsInFuture, olderThan, QUARANTINE_SHARE, RECORD_BYTES, type AgedRow } from '../retention.js'
import type { Database, Query } from './database.js'
import { journalLock } from './functions.js'

/** How long refused ids are kept, in milliseconds. An append that comes later is long past its deadline. */
const REFUSED_KEPT_MS = 3_600_000
/** How long a step waits for appends, in milliseconds. */
const LOCK_MS = 2000
/** How long counting the stored bytes may take, in milliseconds. */
const COUNT_MS = 60_000

/** The condition that no forwarder and no operator has to deal with a delivery `d` any more. */
const isFinished = (s: string): string => `d.hold <> ${STATE.quarantined}
  AND NOT EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = d.sequence) AND NOT EXISTS (SELECT 1 FROM ${s}.dead_letters l WHERE l.sequence = d.sequence)`

/**
 * Does one small step of retention in one transaction. Appends wait for it. A replica that prunes for all passes its term. If the term has
 * ended, the step removes nothing.
 */
export async function prune (database: Database, options: PruneOptions, leader?: { readonly member: string, readonly term: number }): Promise<Pruned> {
  const { schema: s } = database
  // Counting reads row by row, so it is done before the transaction, and appends do not wait for it.
  const count: Query = async (text, values = []) => await database.queryWithin(COUNT_MS, text, values)
  const tooLarge = await isTooLarge(count, s, options.maxBytes)
  const isFull = options.after === 0 && options.maxBytes > 0 && await quarantinedBytes(count, s) > options.maxBytes * QUARANTINE_SHARE
  return await database.transaction(async (query) => {
    await query(`SELECT set_config('lock_timeout', '${LOCK_MS}', true)`)
    await query(`SELECT ${journalLock(s)}`)
    if (leader !== undefined && (await query(`SELECT 1 FROM ${s}.leases WHERE name = ':upkeep' AND holder = $1 AND token = $2`, [leader.member, leader.term])).length === 0) return { removed: 0, evicted: 0, next: undefined }
    const quarantine = options.after === 0 ? await pruneQuarantine(query, s, { ...options, isFull }) : { removed: 0, evicted: 0, more: false }
    const finished = quarantine.more ? { removed: 0, next: 0 } : await pruneFinished(query, database, { ...options, tooLarge })
    return { removed: quarantine.removed + finished.removed, evicted: quarantine.evicted, next: finished.next }
  })
}

interface Found extends AgedRow {
  readonly finished: boolean
}

async function pruneFinished (query: Query, database: Database, { now, receivedBefore, tooLarge, keysBefore, limit, after }: PruneOptions & { readonly tooLarge: boolean }): Promise<Omit<Pruned, 'evicted'>> {
  const { schema: s } = database
  const rows = await query<Found>(`SELECT d.sequence, d.received_at AS "receivedAt", ${isFinished(s)} AS finished FROM (SELECT sequence, received_at, hold FROM ${s}.deliveries
    WHERE sequence > $1 AND sequence <= (SELECT coalesce(min(cursor), 9223372036854775807) FROM ${s}.forwarders) ORDER BY sequence LIMIT $2) d ORDER BY d.sequence`, [after, limit])
  const old = tooLarge ? rows : await oldRows(query, s, rows, receivedBefore, now)
  const chosen = old.filter(({ finished }) => finished)
  await removeDeliveries(query, s, chosen.map(({ sequence }) => sequence), keysBefore)
  const keys = await removeKeys(query, database, { keysBefore, limit })
  await query(`DELETE FROM ${s}.refused WHERE at < ${s}.now_ms() - $1`, [REFUSED_KEPT_MS])
  await query(`DELETE FROM ${s}.replays WHERE number IN (SELECT number FROM ${s}.replays r WHERE requested_at < $1 AND NOT EXISTS (SELECT 1 FROM ${s}.attempts a WHERE a.replay = r.number AND a.replay > 0)
    AND NOT EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.replay = r.number) ORDER BY number LIMIT $2)`, [bigint(receivedBefore), limit])
  const more = (rows.length === limit && old.length > 0) || keys
  return { removed: chosen.length, next: more ? rows.at(-1)?.sequence ?? after : undefined }
}

/** Removes quarantined deliveries that were not released for too long, and if the quarantine's share of the store is full, the oldest ones. */
async function pruneQuarantine (query: Query, s: string, { now, quarantinedBefore, isFull, keysBefore, limit }: PruneOptions & { readonly isFull: boolean }): Promise<{ readonly removed: number, readonly evicted: number, readonly more: boolean }> {
  const rows = await query<AgedRow>(`SELECT sequence, received_at AS "receivedAt" FROM ${s}.deliveries WHERE ${IS_QUARANTINED} ORDER BY sequence LIMIT $1`, [limit])
  const old = await oldRows(query, s, rows, quarantinedBefore, now)
  const chosen = isFull ? rows.slice(0, Math.max(old.length, Math.ceil(rows.length / 10))) : old
  await removeDeliveries(query, s, chosen.map(({ sequence }) => sequence), keysBefore)
  return { removed: chosen.length, evicted: chosen.length - old.length, more: rows.length > 0 && (isFull || chosen.length === limit) }
}

async function oldRows<T extends AgedRow> (query: Query, s: string, rows: readonly T[], receivedBefore: number, now: number): Promise<readonly T[]> {
  const [next] = endsInFuture(rows, now)
    ? await query<Pick<AgedRow, 'receivedAt'>>(`SELECT received_at AS "receivedAt" FROM ${s}.deliveries WHERE sequence > $1 AND received_at <= $2 ORDER BY sequence LIMIT 1`, [rows.at(-1)?.sequence ?? 0, now])
    : []
  return olderThan(rows, { receivedBefore, now, following: next?.receivedAt })
}

/** Removes deliveries with all their data. Their deduplication keys are removed only if they are old enough. */
export async function removeDeliveries (query: Query, s: string, sequences: readonly number[], keysBefore = -Infinity): Promise<void> {
  if (sequences.length === 0) return
  await query(`DELETE FROM ${s}.attempts WHERE sequence = ANY ($1::bigint[])`, [sequences])
  await query(`DELETE FROM ${s}.dedupe_keys k USING ${s}.deliveries d WHERE d.sequence = ANY ($1::bigint[]) AND k.received_at = d.received_at AND k.sequence = d.sequence AND k.received_at < $2`, [sequences, bigint(keysBefore)])
  await query(`DELETE FROM ${s}.deliveries WHERE sequence = ANY ($1::bigint[])`, [sequences])
}

interface KeyPlace {
  readonly received_at: number
  readonly key: string
}

/** The key that was looked at last. Keys that stay are passed in steps, and then the steps begin again at the first key. */
const lastKeys = new WeakMap<Database, KeyPlace>()

/**
 * Removes keys that are old enough and whose delivery is gone: while the delivery is stored, its copies must be recognized. Returns whether
 * there may be more.
 */
async function removeKeys (query: Query, database: Database, { keysBefore, limit }: Pick<PruneOptions, 'keysBefore' | 'limit'>): Promise<boolean> {
  const { schema: s } = database
  const from = lastKeys.get(database) ?? { received_at: -Number.MAX_SAFE_INTEGER, key: '' }
  const looked = await query<KeyPlace & { readonly gone: boolean }>(`SELECT received_at, key, NOT EXISTS (SELECT 1 FROM ${s}.deliveries d WHERE d.sequence = k.sequence) AS gone
    FROM ${s}.dedupe_keys k WHERE (received_at, key) > ($1, $2) AND received_at >= $1 AND received_at < $3 ORDER BY received_at, key LIMIT $4`, [from.received_at, from.key, bigint(keysBefore), limit])
  const gone = looked.filter((each) => each.gone).map(({ key }) => key)
  if (gone.length > 0) await query(`DELETE FROM ${s}.dedupe_keys WHERE key = ANY ($1)`, [gone])
  const last = looked.length === limit ? looked.at(-1) : undefined
  if (last === undefined) lastKeys.delete(database)
  else lastKeys.set(database, last)
  return last !== undefined && gone.length > 0
}

/**
 * Whether the deliveries take too much space. The table's files do not shrink when rows are removed, so their size can only show that counting
 * is not needed.
 */
async function isTooLarge (query: Query, s: string, maxBytes: number): Promise<boolean> {
  if (maxBytes === 0) return false
  const [row] = await query<{ bytes: number }>('SELECT pg_total_relation_size($1::regclass) AS bytes', [`${s}.deliveries`])
  if ((row?.bytes ?? 0) <= maxBytes * (1 - QUARANTINE_SHARE)) return false
  const used = await usedBytes(query, s)
  return used > maxBytes && used - await quarantinedBytes(query, s) > maxBytes * (1 - QUARANTINE_SHARE)
}

async function quarantinedBytes (query: Query, s: string): Promise<number> {
  const [row] = await query<{ bytes: number }>(`SELECT coalesce(sum(body_bytes + ${RECORD_BYTES}), 0)::bigint AS bytes FROM ${s}.deliveries WHERE ${IS_QUARANTINED}`)
  return row?.bytes ?? 0
}

/** About how many bytes the deliveries take. */
export async function usedBytes (query: Query, s: string): Promise<number> {
  const [row] = await query<{ bytes: number }>(`SELECT coalesce(sum(body_bytes + ${RECORD_BYTES}), 0)::bigint AS bytes FROM ${s}.deliveries`)
  return row?.bytes ?? 0
}

/** Clamps a number to the safe integers, because PostgreSQL's bigint has no infinity. */
export function bigint (value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(value)))
}
