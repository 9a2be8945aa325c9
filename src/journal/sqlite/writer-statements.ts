import type { NewDelivery } from '../../delivery/delivery.js'
import type { Connection } from './database.js'
import type { RecordedAttempt } from '../engine.js'
import { cursorChecksum, STATE, INSERT_DELIVERY, toText } from '../record.js'
import { UNKNOWN_FORWARDER } from './salvage/settle-copies.js'

export type WriterStatements = ReturnType<typeof prepareStatements>

/** Prepares all statements of the writer, once per connection. */
export function prepareStatements (db: Connection) {
  const { prepare } = db
  const findKey = prepare('SELECT id, verdict, sequence, received_at FROM dedupe_keys WHERE key = ?')
  const findState = prepare('SELECT hold FROM deliveries WHERE sequence = ?')
  const findId = prepare('SELECT sequence, received_at FROM deliveries WHERE id = ?')
  // `received_at` comes first, because it has an index in this table and `id` has none.
  const deleteKeyOf = prepare('DELETE FROM dedupe_keys WHERE received_at = ? AND id = ?')
  // Marks too: operators may have asked for replays of the delivery, because lists showed it.
  const deleteAll = ['bodies', 'waiting', 'deliveries'].map((table) => prepare(`DELETE FROM ${table} WHERE sequence = ?`))
  const setAside = prepare(`UPDATE deliveries SET hold = ${STATE.damaged} WHERE sequence = ?`)
  const erasedBetween = prepare(`SELECT sequence FROM deliveries INDEXED BY deliveries_held WHERE hold <> ${STATE.accepted} AND hold = ${STATE.erased} AND sequence BETWEEN ? AND ?`)
  const forwarder = prepare('SELECT cursor, position, paused FROM forwarders WHERE name = ?')
  const addForwarder = prepare('INSERT INTO forwarders (name, cursor, began, added_at, checksum) VALUES (?, ?, ?, ?, ?)')
  const keepFilter = prepare('UPDATE forwarders SET filter = ?1 WHERE name = ?2 AND filter IS NOT ?1')
  const forgetUnknown = prepare('DELETE FROM forwarders WHERE name = ? AND added_at < ?')
  // A forwarder that was lost to damage may have marks left. They stay as they are.
  const addReleased = prepare(`INSERT OR IGNORE INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
    SELECT ?, 0, sequence, customer_id, 1, 0, 0, 0 FROM deliveries WHERE hold = ${STATE.released}`)
  const forgetAttempt = prepare('DELETE FROM attempts WHERE sequence = ? AND forwarder = ? AND replay = ? AND attempt = ? AND started_at = ?')
  const insertAttempt = prepare(insertAttempts(1))
  const insertManyAttempts = prepare(insertAttempts(ATTEMPTS_AT_ONCE))
  // The table counts too: if `sqlite_sequence` were too low, readers would miss deliveries.
  const lastSequence = prepare("SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0), coalesce((SELECT max(sequence) FROM deliveries), 0)) AS n")
  const lastReceivedAt = prepare('SELECT received_at AS at FROM deliveries ORDER BY sequence DESC LIMIT 1')

  return {
    insertDelivery: prepare(INSERT_DELIVERY),
    // Node.js 22 binds an empty array without memory behind it as NULL.
    insertBody: prepare("INSERT INTO bodies (sequence, raw_body) VALUES (?, coalesce(?, x''))"),
    findKey (key: string) {
      const found = findKey.get([key])
      return found === undefined ? undefined : toText<FoundKey>(found)
    },
    putKey: prepare(`INSERT INTO dedupe_keys (key, id, verdict, sequence, received_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET id = excluded.id, verdict = excluded.verdict, sequence = excluded.sequence, received_at = excluded.received_at`),
    /** `undefined` if the delivery is not in the store any more. */
    stateOf: (sequence: number) => (findState.get([sequence]) as { readonly hold: number } | undefined)?.hold,
    countDuplicate: prepare('UPDATE deliveries SET duplicates = duplicates + 1 WHERE sequence = ?'),
    withdraw (id: string) {
      const found = findId.get([id]) as { sequence: number, received_at: number } | undefined
      if (found === undefined) return
      deleteKeyOf.run([found.received_at, id])
      for (const statement of deleteAll) statement.run([found.sequence])
    },
    erasedBetween: (first: number, last: number): readonly number[] => (erasedBetween.all([first, last]) as ReadonlyArray<{ readonly sequence: number }>).map(({ sequence }) => sequence),
    setAside: (sequence: number) => { setAside.run([sequence]) },
    forwarder (name: string) {
      const found = forwarder.get([name])
      if (found === undefined) return undefined
      const { cursor, position, paused } = toText<{ cursor: number, position: string | null, paused: number }>(found)
      return { cursor, position, paused: paused === 1 }
    },
    addForwarder: (name: string, cursor: number, at: number) => { addForwarder.run([name, cursor, cursor, at, cursorChecksum(name, cursor)]) },
    keepFilter: (name: string, filter: string | null) => { keepFilter.run([filter, name]) },
    forgetUnknown: (addedBefore: number) => { forgetUnknown.run([UNKNOWN_FORWARDER, addedBefore]) },
    addReleased: (name: string) => { addReleased.run([name]) },
    saveCursor: prepare('UPDATE forwarders SET cursor = ?, checksum = ?, position = coalesce(?, position), breaker = coalesce(?, breaker) WHERE name = ?'),
    putWaiting: prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET attempt = excluded.attempt, waited_ms = excluded.waited_ms, delay_ms = excluded.delay_ms, due_at = excluded.due_at, reason = excluded.reason`),
    deleteWaiting: prepare('DELETE FROM waiting WHERE forwarder = ? AND replay = ? AND sequence = ?'),
    putDeadLetter: prepare('INSERT OR REPLACE INTO dead_letters (forwarder, sequence, died_at, attempts, reason) VALUES (?, ?, ?, ?, ?)'),
    deleteDeadLetter: prepare('DELETE FROM dead_letters WHERE forwarder = ? AND sequence = ?'),
    forgetAttempt: (forwarder: string, { sequence, replay, attempt, startedAt }: RecordedAttempt) => { forgetAttempt.run([sequence, forwarder, replay, attempt, startedAt]) },
    insertAttempts (forwarder: string, records: readonly RecordedAttempt[]) {
      let at = 0
      for (; at + ATTEMPTS_AT_ONCE <= records.length; at += ATTEMPTS_AT_ONCE) insertManyAttempts.run(attemptValues(forwarder, records.slice(at, at + ATTEMPTS_AT_ONCE)))
      for (const record of records.slice(at)) insertAttempt.run(attemptValues(forwarder, [record]))
    },
    lastSequence: () => (lastSequence.get([]) as { n: number }).n,
    lastReceivedAt: () => (lastReceivedAt.get() as { at: number } | undefined)?.at
  }
}

/** Attempts per statement. One statement for each attempt costs twice as much. */
const ATTEMPTS_AT_ONCE = 32

function insertAttempts (count: number): string {
  return `INSERT INTO attempts (forwarder, sequence, replay, attempt, started_at, duration_ms, outcome, detail) VALUES ${Array.from({ length: count }, () => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`
}

function attemptValues (forwarder: string, records: readonly RecordedAttempt[]): ReadonlyArray<string | number | null> {
  return records.flatMap(({ sequence, replay, attempt, startedAt, durationMs, outcome, detail }) => [forwarder, sequence, replay, attempt, startedAt, durationMs, outcome, detail])
}

export interface FoundKey {
  readonly id: string
  readonly verdict: NewDelivery['verdict']
  readonly sequence: number
  readonly received_at: number
}
