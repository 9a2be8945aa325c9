import type { Erased, ErasedDelivery, EraseRequest } from '../../../delivery/operator-requests.js'
import { transaction, type Connection } from '../database.js'
import { bodyReader } from '../operator/deliveries.js'
import { lastSequence } from '../operator/forwarders.js'
import { isPending } from '../../conditions.js'
import { checksum, DELIVERY_COLUMNS, STATE, toRow, toRows, TOMBSTONE, type DeliveryRow } from '../../record.js'
import { UNKNOWN_FORWARDER } from '../salvage/settle-copies.js'
import { createTraces } from '../../traces.js'

const NOTHING = new Uint8Array(0)

/**
 * Does one small step of an erasure: examines some deliveries, and makes a tombstone of each that names one of the people. Deliveries that
 * a forwarder or an operator has not finished stay, unless `force` is set. The erased data is gone from its pages; `scrub` removes
 * what is left elsewhere.
 */
export function erase (db: Connection, { people, after, limit, force, dryRun }: EraseRequest): Erased {
  const names = createTraces(people)
  const last = lastSequence(db)
  const rows = toRows(db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence > ? ORDER BY sequence LIMIT ?`).all([after, limit]))
  const done = rows.length < limit
  const upTo = done ? Math.max(last, after) : rows.at(-1)?.sequence ?? after
  const readBody = bodyReader(db)
  const found = rows.filter((row) => row.hold !== STATE.erased && isOf(row, readBody(row.sequence), names))
  const mentions = findMentions(db, { after, upTo, names, first: after === 0 })
  if (dryRun) return { ...sort(db, found, force), mentions: mentions.length, upTo, done }
  db.exec('PRAGMA secure_delete = ON')
  const sorted = transaction(db, () => {
    // Read again within the transaction: then no delivery can begin to wait meanwhile, and every release is seen.
    const select = db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence = ? AND hold <> ${STATE.erased}`)
    const current = found.flatMap(({ sequence }) => toRow(select.get([sequence])) ?? [])
    const result = sort(db, current, force)
    const toErase = new Set(result.erased.map(({ id }) => id))
    const bury = burier(db)
    for (const row of current) if (toErase.has(row.id)) bury(row)
    for (const clean of mentions) clean()
    if (result.erased.length > 0) notifyForwarders(db)
    return result
  })
  return { ...sorted, mentions: mentions.length, upTo, done }
}

function isOf (row: DeliveryRow, rawBody: Uint8Array | undefined, names: (text: string) => boolean): boolean {
  const fields = [row.customer_id, row.headers, row.faults, row.event_id, row.campaign_id].filter((text) => text !== null)
  return fields.some(names) || (rawBody !== undefined && names(Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength).toString()))
}

function sort (db: Connection, rows: readonly DeliveryRow[], force: boolean): Pick<Erased, 'erased' | 'unfinished'> {
  const waits = db.prepare('SELECT 1 FROM waiting WHERE sequence = ?')
  const dead = db.prepare('SELECT 1 FROM dead_letters WHERE sequence = ?')
  const pending = db.prepare(`SELECT 1 FROM deliveries d CROSS JOIN forwarders f WHERE d.sequence = ? AND f.name <> '${UNKNOWN_FORWARDER}' AND ${isPending('')} LIMIT 1`)
  const took = db.prepare("SELECT DISTINCT forwarder FROM attempts WHERE sequence = ? AND outcome = 'forwarded'")
  const erased: ErasedDelivery[] = []
  const unfinished: Array<Erased['unfinished'][number]> = []
  for (const { sequence, id, hold } of rows) {
    const why = hold === STATE.quarantined
      ? 'quarantined'
      : waits.get([sequence]) !== undefined || pending.get([sequence]) !== undefined
        ? 'waiting'
        : dead.get([sequence]) !== undefined ? 'dead' : undefined
    if (why !== undefined && !force) unfinished.push({ id, why })
    else erased.push({ id, forwardedTo: (took.all([sequence]) as Array<{ forwarder: string }>).map(({ forwarder }) => forwarder) })
  }
  return { erased, unfinished }
}

/** Draws a replay number. When forwarders see a new one, they read again the deliveries that they have in memory. */
function notifyForwarders (db: Connection): void {
  const { changes } = db.prepare("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'replays'").run()
  if (changes === 0) db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('replays', 1)").run()
}

/** Makes tombstones. A tombstone says that there was an event, of which type and when. So duplicates are recognised, and counts stay right. */
function burier (db: Connection): (row: DeliveryRow) => void {
  const update = db.prepare(`UPDATE deliveries SET ${Object.keys(TOMBSTONE).map((name) => `${name} = ?`).join(', ')}, checksum = ? WHERE sequence = ?`)
  const empty = db.prepare('UPDATE bodies SET raw_body = ? WHERE sequence = ?')
  const clean = db.prepare('UPDATE attempts SET detail = NULL WHERE sequence = ?')
  const unmark = ['waiting', 'dead_letters'].map((table) => db.prepare(`DELETE FROM ${table} WHERE sequence = ?`))
  return (row) => {
    update.run([...Object.values(TOMBSTONE), checksum({ ...row, ...TOMBSTONE }, NOTHING), row.sequence])
    empty.run([NOTHING, row.sequence])
    clean.run([row.sequence])
    for (const statement of unmark) statement.run([row.sequence])
  }
}

interface Mentions {
  readonly after: number
  readonly upTo: number
  readonly names: (text: string) => boolean
  /** Whether to examine texts that belong to no delivery, too. */
  readonly first: boolean
}

/** Finds other texts that name one of the people: what a destination answered, or why an operator asked for a replay. */
function findMentions (db: Connection, { after, upTo, names, first }: Mentions): ReadonlyArray<() => void> {
  const found: Array<() => void> = []
  const look = (select: string, update: string, values: readonly number[]): void => {
    const statement = db.prepare(update)
    for (const row of db.prepare(select).all(values) as Array<{ text: string | Uint8Array, a: string | number, b: number, c: number }>) {
      if (names(String(row.text))) found.push(() => { statement.run([row.a, row.b, row.c]) })
    }
  }
  look('SELECT detail AS text, rowid AS a, 0 AS b, 0 AS c FROM attempts WHERE sequence > ? AND sequence <= ? AND detail IS NOT NULL',
    'UPDATE attempts SET detail = NULL WHERE rowid = ? AND ? = ?', [after, upTo])
  look('SELECT reason AS text, forwarder AS a, sequence AS b, 0 AS c FROM dead_letters WHERE sequence > ? AND sequence <= ?',
    "UPDATE dead_letters SET reason = 'erased' WHERE forwarder = ? AND sequence = ? AND ? = 0", [after, upTo])
  look('SELECT reason AS text, forwarder AS a, sequence AS b, replay AS c FROM waiting WHERE sequence > ? AND sequence <= ? AND reason IS NOT NULL',
    'UPDATE waiting SET reason = NULL WHERE forwarder = ? AND sequence = ? AND replay = ?', [after, upTo])
  if (first) look('SELECT description AS text, number AS a, 0 AS b, 0 AS c FROM replays', "UPDATE replays SET description = 'erased' WHERE number = ? AND ? = ?", [])
  return found
}
