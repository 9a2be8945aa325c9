import type { NewDelivery } from '../../delivery/delivery.js'
import type { Connection, Statement } from './database.js'
import { countRecords, recordAt, type PackedRecords } from './packed-progress.js'
import { cursorChecksum, HOLD, toText } from './record.js'
import { UNKNOWN_FORWARDER } from './salvage/settle-copies.js'

export type WriterStatements = ReturnType<typeof prepareStatements>

/** All that the writer does to the database, prepared once for a connection. */
export function prepareStatements (db: Connection) {
  const prepare = (sql: string): Statement => db.prepare(sql)
  const insertDelivery = prepare(`INSERT INTO deliveries (id, received_at, event_type, verdict, hold, source_object, source_id, event_id,
    project_id, customer_id, campaign_id, faults, headers, body_bytes, event_start, event_end, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertBody = prepare('INSERT INTO bodies (sequence, raw_body) VALUES (?, ?)')
  const findKey = db.prepare('SELECT id, verdict, sequence, received_at FROM dedupe_keys WHERE key = ?')
  const putKey = db.prepare(`INSERT INTO dedupe_keys (key, id, verdict, sequence, received_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET id = excluded.id, verdict = excluded.verdict, sequence = excluded.sequence, received_at = excluded.received_at`)
  const findHold = db.prepare('SELECT hold FROM deliveries WHERE sequence = ?')
  const countDuplicate = db.prepare('UPDATE deliveries SET duplicates = duplicates + 1 WHERE sequence = ?')
  const findId = prepare('SELECT sequence, received_at FROM deliveries WHERE id = ?')
  // By the time first: that has an index, and the id has none.
  const deleteKeyOf = prepare('DELETE FROM dedupe_keys WHERE received_at = ? AND id = ?')
  const deleteBody = prepare('DELETE FROM bodies WHERE sequence = ?')
  // A person may have asked for replays of it: it was there to be seen.
  const deleteMarks = prepare('DELETE FROM waiting WHERE sequence = ?')
  const deleteDelivery = prepare('DELETE FROM deliveries WHERE sequence = ?')
  const setAside = db.prepare(`UPDATE deliveries SET hold = ${HOLD.damaged} WHERE sequence = ?`)
  const forwarder = prepare('SELECT cursor, position, paused FROM forwarders WHERE name = ?')
  const addForwarder = prepare('INSERT INTO forwarders (name, cursor, began, added_at, checksum) VALUES (?, ?, ?, ?, ?)')
  const keepFilter = prepare('UPDATE forwarders SET filter = ?1 WHERE name = ?2 AND filter IS NOT ?1')
  const forgetUnknown = prepare('DELETE FROM forwarders WHERE name = ? AND added_at < ?')
  const addReleased = prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
    SELECT ?, 0, sequence, customer_id, 1, 0, 0, 0 FROM deliveries WHERE hold = ${HOLD.released}`)
  const saveCursor = prepare('UPDATE forwarders SET cursor = ?, checksum = ?, position = coalesce(?, position), breaker = coalesce(?, breaker) WHERE name = ?')
  const putWaiting = prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET attempt = excluded.attempt, waited_ms = excluded.waited_ms, delay_ms = excluded.delay_ms, due_at = excluded.due_at, reason = excluded.reason`)
  const deleteWaiting = prepare('DELETE FROM waiting WHERE forwarder = ? AND replay = ? AND sequence = ?')
  const putDeadLetter = prepare('INSERT OR REPLACE INTO dead_letters (forwarder, sequence, died_at, attempts, reason) VALUES (?, ?, ?, ?, ?)')
  const deleteDeadLetter = prepare('DELETE FROM dead_letters WHERE forwarder = ? AND sequence = ?')
  const insertAttempt = prepare(insertAttempts(1))
  const insertManyAttempts = prepare(insertAttempts(ATTEMPTS_AT_ONCE))
  // The table has the say too: a number that is too low would leave deliveries out.
  const lastSequence = prepare("SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0), coalesce((SELECT max(sequence) FROM deliveries), 0)) AS n")
  const lastReceivedAt = prepare('SELECT received_at AS at FROM deliveries ORDER BY sequence DESC LIMIT 1')
  const lastReplay = prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'replays'), 0) AS n")

  return {
    insertDelivery,
    insertBody,
    findKey (key: string) {
      const found = findKey.get([key])
      return found === undefined ? undefined : toText<FoundKey>(found)
    },
    putKey,
    /** `undefined` where the delivery is not in the store any more. */
    holdOf: (sequence: number) => (findHold.get([sequence]) as { readonly hold: number } | undefined)?.hold,
    countDuplicate,
    withdraw (id: string) {
      const found = findId.get([id]) as { sequence: number, received_at: number } | undefined
      if (found === undefined) return
      deleteKeyOf.run([found.received_at, id])
      deleteBody.run([found.sequence])
      deleteMarks.run([found.sequence])
      deleteDelivery.run([found.sequence])
    },
    setAside: (sequence: number) => { setAside.run([sequence]) },
    forwarder (name: string) {
      const found = forwarder.get([name])
      return found === undefined ? undefined : toProgress(toText<{ cursor: number, position: string | null, paused: number }>(found))
    },
    addForwarder: (name: string, cursor: number, at: number) => { addForwarder.run([name, cursor, cursor, at, cursorChecksum(name, cursor)]) },
    keepFilter: (name: string, filter: string | null) => { keepFilter.run([filter, name]) },
    forgetUnknown: (addedBefore: number) => { forgetUnknown.run([UNKNOWN_FORWARDER, addedBefore]) },
    addReleased: (name: string) => { addReleased.run([name]) },
    saveCursor,
    putWaiting,
    deleteWaiting,
    putDeadLetter,
    deleteDeadLetter,
    insertAttempts (forwarder: string, records: PackedRecords) {
      const count = countRecords(records)
      let at = 0
      for (; at + ATTEMPTS_AT_ONCE <= count; at += ATTEMPTS_AT_ONCE) insertManyAttempts.run(attemptValues(forwarder, records, at, ATTEMPTS_AT_ONCE))
      for (; at < count; at++) insertAttempt.run(attemptValues(forwarder, records, at, 1))
    },
    lastSequence: () => (lastSequence.get([]) as { n: number }).n,
    lastReceivedAt: () => (lastReceivedAt.get() as { at: number } | undefined)?.at,
    lastReplay: () => (lastReplay.get([]) as { n: number }).n
  }
}

function toProgress ({ cursor, position, paused }: { readonly cursor: number, readonly position: string | null, readonly paused: number }) {
  return { cursor, position, paused: paused === 1 }
}

/** One statement for each costs twice as much. */
const ATTEMPTS_AT_ONCE = 32

function insertAttempts (count: number): string {
  return `INSERT INTO attempts (forwarder, sequence, replay, attempt, started_at, duration_ms, outcome, detail) VALUES ${Array.from({ length: count }, () => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`
}

function attemptValues (forwarder: string, records: PackedRecords, start: number, count: number): ReadonlyArray<string | number | null> {
  const values: Array<string | number | null> = []
  for (let at = start; at < start + count; at++) values.push(forwarder, ...recordAt(records, at))
  return values
}

export interface FoundKey {
  readonly id: string
  readonly verdict: NewDelivery['verdict']
  readonly sequence: number
  readonly received_at: number
}
