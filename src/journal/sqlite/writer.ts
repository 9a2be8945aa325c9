import type { LocateEvent, NewDelivery } from '../../delivery/delivery.js'
import type { Progress } from '../feed-store.js'
import type { Change } from '../schedule.js'
import { isDamage, prepareAnew, sqliteCode, unlessDamaged, type Connection } from './database.js'
import { openSound } from './open-sound.js'
import { unpackAppends, type AppendRecord } from './packed-appends.js'
import { packPlaces } from './packed-places.js'
import { countRecords, recordAt, type PackedProgress, type PackedRecords } from './packed-progress.js'
import { prune } from './prune.js'
import type { AppendResult, BatchResult, PackedBatch, RegisterFeed, StorageError, WriterApi } from './protocol.js'
import { asBytes, cursorChecksum, HOLD, textChecksum, toText } from './record.js'
import { UNKNOWN_FORWARDER, type RememberedForwarder } from './salvage/settle-copies.js'
import { APPLICATION_ID } from './schema.js'
import { transaction } from './transaction.js'
import { readWaiting } from './waiting.js'

/** How long after a salvage a forwarder that nobody knows may be one that was lost in it, in milliseconds. */
const UNKNOWN_KEPT_MS = 3_600_000

export interface WriterOptions {
  readonly now: () => number
  readonly locateEvent: LocateEvent
}

/** The writing side of the journal, synchronous: it lives in a thread of its own, so that a slow disk holds up nothing else. */
export function createWriter ({ now, locateEvent }: WriterOptions): WriterApi {
  let db: Connection | undefined
  let statements: Statements | undefined
  let dedupeWindowMs = 0
  /** Where the forwarders are that are served, in case that the disk forgets it. */
  const remembered = new Map<string, RememberedForwarder>()

  function opened (): { db: Connection, statements: Statements } {
    if (db === undefined || statements === undefined) throw new Error('The journal is not open')
    return { db, statements }
  }

  function commitBatch (batch: Omit<PackedBatch, 'appends'>, appends: readonly AppendRecord[]): Omit<BatchResult, 'keysDamaged' | 'eventPlaces'> {
    const { db, statements } = opened()
    const result = transaction(db, () => {
      for (const id of batch.withdraw) statements.withdraw(id)
      const time = now()
      const progressError = saveAll(db, statements, batch.progress, time)
      return { appends: appends.map((record) => append(statements, record, time - dedupeWindowMs)), progressError }
    })
    if (result.progressError === undefined) for (const progress of batch.progress) remember(progress)
    return result
  }

  function remember ({ forwarder, cursor, position }: { readonly forwarder: string, readonly cursor: number, readonly position?: string | null | undefined }): void {
    remembered.set(forwarder, { forwarder, cursor, position: position ?? remembered.get(forwarder)?.position ?? null })
  }

  function close (): void {
    db?.close()
    db = undefined
    statements = undefined
  }

  return {
    open ({ path, withdrawn, damaged = false, above = 0, ...options }) {
      close()
      const { used, salvaged, ...opened } = openSound(path, {
        damaged,
        above,
        remembered: [...remembered.values()],
        now,
        use (connection) {
          const prepared = prepare(connection)
          // Also proves that it may be written to: SQLite opens what it may not write to for reading alone.
          transaction(connection, () => { for (const id of withdrawn) prepared.withdraw(id) })
          return prepared
        }
      })
      db = opened.db
      statements = used
      dedupeWindowMs = options.dedupeWindowMs
      return { lastSequence: used.lastSequence(), lastReplay: used.lastReplay(), salvaged }
    },

    commit (batch: PackedBatch): BatchResult {
      const appends = unpackAppends(batch.appends, locateEvent)
      const eventPlaces = packPlaces(appends.map(({ eventPlace }) => eventPlace))
      try {
        return { ...commitBatch(batch, appends), eventPlaces, keysDamaged: false }
      } catch (error) {
        if (!isDamage(error)) throw error
        // A damaged page of keys may cost a second copy of an event, and never the event.
        return { ...commitBatch(batch, appends.map((record) => ({ ...record, dedupeKey: null }))), eventPlaces, keysDamaged: true }
      }
    },

    probe () {
      const { db } = opened()
      // SQLite writes the page and syncs it, though it is what it was.
      transaction(db, () => { db.exec(`PRAGMA application_id = ${APPLICATION_ID}`) })
    },

    setAside (sequences) {
      const { db, statements } = opened()
      for (const sequence of sequences) unlessDamaged(() => { transaction(db, () => { statements.setAside(sequence) }) }, undefined)
    },

    registerFeed ({ forwarder, cursor }: RegisterFeed): Progress {
      const { db, statements } = opened()
      const progress = transaction(db, () => {
        const known = statements.forwarder(forwarder)
        if (known !== undefined) return { ...known, waiting: readWaiting(db, forwarder, now()) }
        // It may be one that was lost to damage: then it begins with the oldest delivery that there is.
        const from = statements.forwarder(UNKNOWN_FORWARDER) === undefined ? cursor : 0
        statements.addForwarder(forwarder, from, now())
        if (from === 0) statements.addReleased(forwarder)
        return { cursor: from, position: null, waiting: readWaiting(db, forwarder, now()) }
      })
      remember({ forwarder, ...progress })
      return progress
    },

    prune (options) {
      const { db, statements } = opened()
      statements.forgetUnknown(now() - UNKNOWN_KEPT_MS)
      return prune(db, options)
    },
    close
  }
}

type Statements = ReturnType<typeof prepare>

function prepare (db: Connection) {
  const insertDelivery = db.prepare(`INSERT INTO deliveries (id, received_at, event_type, verdict, hold, source_object, source_id, event_id,
    project_id, customer_id, campaign_id, faults, headers, body_bytes, event_start, event_end, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertBody = db.prepare('INSERT INTO bodies (sequence, raw_body) VALUES (?, ?)')
  const findKey = prepareAnew(db, `SELECT ${asBytes('id')}, ${asBytes('verdict')}, sequence, received_at FROM dedupe_keys WHERE key = ?`)
  const putKey = prepareAnew(db, `INSERT INTO dedupe_keys (key, id, verdict, sequence, received_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET id = excluded.id, verdict = excluded.verdict, sequence = excluded.sequence, received_at = excluded.received_at`)
  const findSetAside = prepareAnew(db, `SELECT 1 FROM deliveries WHERE sequence = ? AND hold = ${HOLD.damaged}`)
  const countDuplicate = prepareAnew(db, 'UPDATE deliveries SET duplicates = duplicates + 1 WHERE sequence = ?')
  const findId = db.prepare('SELECT sequence, received_at FROM deliveries WHERE id = ?')
  // By the time first: that has an index, and the id has none.
  const deleteKeyOf = db.prepare('DELETE FROM dedupe_keys WHERE received_at = ? AND id = ?')
  const deleteBody = db.prepare('DELETE FROM bodies WHERE sequence = ?')
  // A person may have asked for replays of it: it was there to be seen.
  const deleteMarks = db.prepare('DELETE FROM waiting WHERE sequence = ?')
  const deleteDelivery = db.prepare('DELETE FROM deliveries WHERE sequence = ?')
  const setAside = prepareAnew(db, `UPDATE deliveries SET hold = ${HOLD.damaged} WHERE sequence = ?`)
  const forwarder = db.prepare(`SELECT cursor, ${asBytes('position')} FROM forwarders WHERE name = ?`)
  const addForwarder = db.prepare('INSERT INTO forwarders (name, cursor, began, added_at, checksum) VALUES (?, ?, ?, ?, ?)')
  const forgetUnknown = db.prepare('DELETE FROM forwarders WHERE name = ? AND added_at < ?')
  const addReleased = db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
    SELECT ?, 0, sequence, customer_id, 1, 0, 0, 0 FROM deliveries WHERE hold = ${HOLD.released}`)
  const saveCursor = db.prepare('UPDATE forwarders SET cursor = ?, checksum = ?, position = coalesce(?, position), breaker = coalesce(?, breaker) WHERE name = ?')
  const putWaiting = db.prepare('INSERT OR REPLACE INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const deleteWaiting = db.prepare('DELETE FROM waiting WHERE forwarder = ? AND replay = ? AND sequence = ?')
  const putDeadLetter = db.prepare('INSERT OR REPLACE INTO dead_letters (forwarder, sequence, died_at, attempts, reason) VALUES (?, ?, ?, ?, ?)')
  const deleteDeadLetter = db.prepare('DELETE FROM dead_letters WHERE forwarder = ? AND sequence = ?')
  const insertAttempt = db.prepare(insertAttempts(1))
  const insertManyAttempts = db.prepare(insertAttempts(ATTEMPTS_AT_ONCE))
  // The table has the say too: a number that is too low would leave deliveries out.
  const lastSequence = db.prepare("SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0), coalesce((SELECT max(sequence) FROM deliveries), 0)) AS n")
  const lastReplay = db.prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'replays'), 0) AS n")

  return {
    insertDelivery,
    insertBody,
    findKey (key: string) {
      const found = findKey.get([key])
      return found === undefined ? undefined : toText<FoundKey>(Object(found))
    },
    putKey,
    isSetAside: (sequence: number) => findSetAside.get([sequence]) !== undefined,
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
      return found === undefined ? undefined : toText<{ cursor: number, position: string | null }>(Object(found))
    },
    addForwarder: (name: string, cursor: number, at: number) => { addForwarder.run([name, cursor, cursor, at, cursorChecksum(name, cursor)]) },
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
    lastReplay: () => (lastReplay.get([]) as { n: number }).n
  }
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

interface FoundKey {
  readonly id: string
  readonly verdict: NewDelivery['verdict']
  readonly sequence: number
  readonly received_at: number
}

function append (statements: Statements, { text, values, dedupeKey, rawBody, eventPlace }: AppendRecord, windowStart: number): AppendResult {
  const first = dedupeKey === null ? undefined : statements.findKey(dedupeKey)
  // A record that is set aside reaches nobody: the copy that the sender still has takes its place.
  if (first !== undefined && first.received_at >= windowStart && !statements.isSetAside(first.sequence)) {
    statements.countDuplicate.run([first.sequence])
    return { id: first.id, verdict: first.verdict }
  }
  const sequence = Number(statements.insertDelivery.run([...values, eventPlace?.start ?? null, eventPlace?.end ?? null, textChecksum(text, rawBody)]).lastInsertRowid)
  statements.insertBody.run([sequence, rawBody])
  const [id, receivedAt, , verdict] = values
  if (dedupeKey !== null) statements.putKey.run([dedupeKey, id, verdict, sequence, receivedAt])
  return sequence
}

/** Progress that can't be stored, on a damaged page for one, must not keep webhooks from the disk: it alone is taken back. */
function saveAll (db: Connection, statements: Statements, progress: readonly PackedProgress[], time: number): StorageError | undefined {
  if (progress.length === 0) return undefined
  db.exec('SAVEPOINT progress')
  try {
    for (const each of progress) saveProgress(statements, each, time)
    db.exec('RELEASE progress')
    return undefined
  } catch (error) {
    // After some errors, such as a full disk, SQLite has taken the whole transaction back.
    if (!db.inTransaction) throw error
    db.exec('ROLLBACK TO progress; RELEASE progress')
    return { message: error instanceof Error ? error.message : String(error), code: sqliteCode(error) }
  }
}

function saveProgress (statements: Statements, progress: PackedProgress, time: number): void {
  statements.saveCursor.run([progress.cursor, cursorChecksum(progress.forwarder, progress.cursor), progress.position ?? null, progress.breaker ?? null, progress.forwarder])
  for (const change of progress.changes) saveChange(statements, progress.forwarder, change, time)
  statements.insertAttempts(progress.forwarder, progress.records)
}

function saveChange (statements: Statements, forwarder: string, change: Change, time: number): void {
  const { sequence, replay, lane, attempt, waitedMs } = change.entry
  switch (change.type) {
    case 'wait':
      statements.putWaiting.run([forwarder, replay, sequence, lane, attempt, Math.round(waitedMs), Math.round(change.delayMs), Math.round(time + change.delayMs), change.reason])
      break
    case 'finish':
      statements.deleteWaiting.run([forwarder, replay, sequence])
      // It has gone through on a replay: the dead letter that it was is no more.
      if (replay > 0) statements.deleteDeadLetter.run([forwarder, sequence])
      break
    case 'dead':
      statements.deleteWaiting.run([forwarder, replay, sequence])
      statements.putDeadLetter.run([forwarder, sequence, time, attempt, change.reason])
  }
}
