import { pragma, type Connection } from './database.js'
import type { Pruned, PruneOptions } from './protocol.js'
import { HOLD } from './record.js'
import { transaction } from './transaction.js'

/** Replays looked at in one step, the oldest first. What is left of them are rows of attempts, so there are few. */
const REPLAYS_LOOKED_AT = 10_000
/** Pages given back to the file system in one step: 4 MiB. */
const VACUUM_PAGES = 1024

/**
 * One small step of retention: looks at some of the oldest deliveries, removes those that every forwarder has finished with,
 * and gives their space back; and so with replays that are over. What waits, is a dead letter or is held in quarantine stays, however old.
 */
export function prune (db: Connection, { receivedBefore, maxBytes, keysBefore, limit, after }: PruneOptions): Pruned {
  const pruned = transaction(db, () => {
    const tooLarge = maxBytes > 0 && usedBytes(db) > maxBytes
    // The limit stands inside, so that many that must stay do not make the step a long one.
    const rows = db.prepare(`
      SELECT d.sequence, d.received_at AS receivedAt, d.hold <> ${HOLD.quarantined}
        AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = d.sequence)
        AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.sequence = d.sequence) AS finished
      FROM (SELECT sequence, received_at, hold FROM deliveries WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?) d`)
      .all([after, finishedUpTo(db), limit]) as Array<{ sequence: number, receivedAt: number, finished: number }>
    const old = rows.filter(({ receivedAt }) => tooLarge || receivedAt < receivedBefore)
    const chosen = old.filter(({ finished }) => finished === 1)
    for (const table of ['attempts', 'bodies', 'deliveries']) {
      const remove = db.prepare(`DELETE FROM ${table} WHERE sequence = ?`)
      for (const { sequence } of chosen) remove.run([sequence])
    }
    const keys = db.prepare(`DELETE FROM dedupe_keys WHERE key IN (SELECT key FROM dedupe_keys WHERE received_at < ? LIMIT ${limit})`).run([keysBefore])
    const replays = removeReplays(db, { receivedBefore, limit })
    const more = (rows.length === limit && old.length > 0) || keys.changes === limit || replays === limit
    return { removed: chosen.length, next: more ? rows.at(-1)?.sequence ?? after : undefined }
  })
  db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
  return pruned
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
