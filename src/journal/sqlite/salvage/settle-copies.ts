import type { Connection } from '../database.js'
import { cursorChecksum, DELIVERY_COLUMNS, STATE, toDelivery, toText, type DeliveryRow } from '../../record.js'
import { SEQUENCE_LIMIT, type Copied } from './copy-rows.js'

/** New deliveries get sequences this far above the greatest known one, because lost deliveries may have had greater ones. */
const MARGIN = 1000
/** A number this far above all certain ones is itself damage. */
const PLAUSIBLE_STEP = 1_000_000
const RECORDS_A_PAGE = 200
const SAMPLE = 100
/** The name of a row that stands for lost forwarders: nothing that they may need is pruned, and unknown forwarders begin with the oldest delivery. */
export const UNKNOWN_FORWARDER = ''

export interface RememberedForwarder {
  readonly forwarder: string
  readonly cursor: number
  readonly position: string | null
}

export interface Settled {
  /** Accepted deliveries that cannot be read, or whose checksum differs. */
  readonly lost: number
  /** The first of their sequences. */
  readonly lostSequences: readonly number[]
  readonly kept: number
}

export interface SettleOptions {
  readonly copied: Copied
  /** The greatest sequence that the running service knows; 0 at a start. */
  readonly above: number
  /** What the running service knows of its forwarders. */
  readonly remembered: readonly RememberedForwarder[]
  readonly now: number
}

/** Makes a consistent journal of the rows that were copied. */
export function settleCopies (db: Connection, { copied, above, remembered, now }: SettleOptions): Settled {
  db.exec('BEGIN; CREATE TEMP TABLE lost (sequence INTEGER PRIMARY KEY)')
  const lastGood = checkRecords(db)
  const greatest = greatestSequence(db, copied, Math.max(lastGood, above))
  db.exec(`
    INSERT OR IGNORE INTO lost SELECT sequence FROM deliveries WHERE sequence > ${greatest} OR sequence < 1;
    DELETE FROM deliveries WHERE sequence > ${greatest} OR sequence < 1;
    INSERT OR IGNORE INTO lost SELECT sequence FROM bodies WHERE sequence NOT IN (SELECT sequence FROM deliveries);
    DELETE FROM bodies WHERE sequence NOT IN (SELECT sequence FROM deliveries);
    -- A copy that the sender still has is not to be taken for one that we hold.
    DELETE FROM dedupe_keys WHERE sequence IN (SELECT sequence FROM lost);`)
  settleForwarders(db, { greatest, remembered, forwardersLost: copied.forwardersLost, now })
  restoreMarks(db, now)
  setNumber(db, 'deliveries', greatest + MARGIN)
  setNumber(db, 'replays', greatestReplay(db, copied) + 1)
  const count = (sql: string): number => (db.prepare(sql).get([]) as { n: number }).n
  const settled = {
    lost: count('SELECT count(*) AS n FROM lost'),
    lostSequences: (db.prepare('SELECT sequence FROM lost ORDER BY sequence LIMIT ?').all([SAMPLE]) as Array<{ sequence: number }>).map(({ sequence }) => sequence),
    kept: count(`SELECT count(*) AS n FROM deliveries WHERE hold <> ${STATE.damaged}`)
  }
  db.exec('COMMIT')
  return settled
}

/** Sets every damaged record aside. Returns the last sequence of a sound one. */
function checkRecords (db: Connection): number {
  const select = db.prepare(`SELECT ${DELIVERY_COLUMNS}, b.raw_body AS rawBody FROM deliveries d LEFT JOIN bodies b ON b.sequence = d.sequence
    WHERE d.sequence > ? ORDER BY d.sequence LIMIT ${RECORDS_A_PAGE}`)
  const setAside = db.prepare(`UPDATE deliveries SET hold = ${STATE.damaged} WHERE sequence = ?`)
  const noteLost = db.prepare('INSERT OR IGNORE INTO lost VALUES (?)')
  let lastGood = 0
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const found = select.all([after]) as Array<{ readonly rawBody: Uint8Array | null }>
    const rows = found.map(({ rawBody, ...row }) => ({ ...toText<DeliveryRow>(row), rawBody }))
    for (const row of rows) {
      if (toDelivery(row, row.rawBody ?? undefined) !== undefined) {
        lastGood = row.sequence
      } else if (row.hold !== STATE.damaged) {
        setAside.run([row.sequence])
        noteLost.run([row.sequence])
      }
    }
    if (rows.length < RECORDS_A_PAGE) return lastGood
    after = rows.at(-1)?.sequence ?? after
  }
}

/** The greatest sequence in any row, except those that can only be damage. */
function greatestSequence (db: Connection, { numbers }: Copied, sure: number): number {
  const limit = sure > 0 ? sure + PLAUSIBLE_STEP : SEQUENCE_LIMIT
  const named = ['deliveries', 'bodies', 'dedupe_keys', 'waiting', 'dead_letters', 'attempts'].map((table) =>
    (db.prepare(`SELECT coalesce(max(sequence), 0) AS n FROM ${table} WHERE sequence <= ?`).get([limit]) as { n: number }).n)
  const counted = numbers.get('deliveries') ?? 0
  return Math.max(sure, counted <= limit ? counted : 0, ...named)
}

function greatestReplay (db: Connection, { numbers }: Copied): number {
  const { n } = db.prepare(`SELECT max((SELECT coalesce(max(number), 0) FROM replays WHERE number < ${SEQUENCE_LIMIT}),
    (SELECT coalesce(max(replay), 0) FROM waiting WHERE replay < ${SEQUENCE_LIMIT})) AS n`).get([]) as { n: number }
  const counted = numbers.get('replays') ?? 0
  return Math.max(n, counted <= n + PLAUSIBLE_STEP ? counted : 0)
}

function settleForwarders (db: Connection, { greatest, remembered, forwardersLost, now }: { readonly greatest: number, readonly forwardersLost: boolean } & Pick<SettleOptions, 'remembered' | 'now'>): void {
  // A cursor after the end of the journal is wrong. The right one is unknown, so the forwarder begins again and misses nothing.
  db.prepare('UPDATE forwarders SET cursor = 0, began = 0, checksum = NULL WHERE cursor > ? OR cursor < 0').run([greatest])
  const put = db.prepare(`INSERT INTO forwarders (name, cursor, began, position, added_at, checksum) VALUES (?, ?, 0, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, checksum = excluded.checksum, position = excluded.position`)
  for (const { forwarder, cursor, position } of remembered) put.run([forwarder, cursor, position, now, cursorChecksum(forwarder, cursor)])
  db.prepare('DELETE FROM forwarders WHERE name = ?').run([UNKNOWN_FORWARDER])
  if (forwardersLost) put.run([UNKNOWN_FORWARDER, 0, null, now, null])
}

/** Restores lost marks and dead letters from their indexes. The marks are due at once. */
function restoreMarks (db: Connection, now: number): void {
  db.prepare(`INSERT OR IGNORE INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason)
    SELECT m.forwarder, m.replay, m.sequence, d.customer_id, 1, 0, 0, ?, 'restored after damage' FROM waiting_marks m CROSS JOIN deliveries d ON d.sequence = m.sequence
    WHERE (SELECT count(*) FROM waiting_marks) > (SELECT count(*) FROM waiting) AND m.replay >= 0`).run([now])
  db.prepare(`INSERT OR IGNORE INTO dead_letters (forwarder, sequence, died_at, attempts, reason)
    SELECT m.forwarder, m.sequence, ?, 1, 'restored after damage: the reason is lost' FROM dead_marks m CROSS JOIN deliveries d ON d.sequence = m.sequence
    WHERE m.forwarder IN (SELECT name FROM forwarders UNION SELECT forwarder FROM dead_letters)
      AND (SELECT count(*) FROM dead_marks k CROSS JOIN deliveries e ON e.sequence = k.sequence WHERE k.forwarder IN (SELECT name FROM forwarders UNION SELECT forwarder FROM dead_letters)) > (SELECT count(*) FROM dead_letters)`).run([now])
}

function setNumber (db: Connection, table: string, number: number): void {
  db.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run([table])
  db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run([table, number])
}
