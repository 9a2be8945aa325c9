import type { NewDelivery } from '../../delivery/delivery.js'
import type { FeedCommit, Progress } from '../feed.js'
import type { Change } from '../schedule.js'
import { openForWriting, type Connection } from './database.js'
import { prune } from './prune.js'
import type { AppendResult, Batch, RegisterFeed, WriterApi } from './protocol.js'
import { checksum, HOLD } from './record.js'
import { migrate } from './schema.js'
import { transaction } from './transaction.js'
import { readWaiting } from './waiting.js'

/** The writing side of the journal, synchronous: it lives in a thread of its own, so that a slow disk holds up nothing else. */
export function createWriter (now: () => number): WriterApi {
  let db: Connection | undefined
  let statements: Statements | undefined
  let dedupeWindowMs = 0

  function opened (): { db: Connection, statements: Statements } {
    if (db === undefined || statements === undefined) throw new Error('The journal is not open')
    return { db, statements }
  }

  return {
    open (options) {
      const connection = openForWriting(options.path)
      try {
        migrate(connection)
        statements = prepare(connection)
        dedupeWindowMs = options.dedupeWindowMs
        const { withdraw, lastSequence, lastReplay } = statements
        if (options.withdrawn.length > 0) transaction(connection, () => { for (const id of options.withdrawn) withdraw(id) })
        db = connection
        return { lastSequence: lastSequence(), lastReplay: lastReplay() }
      } catch (error) {
        connection.close()
        throw error
      }
    },

    commit (batch: Batch): readonly AppendResult[] {
      const { db, statements } = opened()
      return transaction(db, () => {
        for (const id of batch.withdraw) statements.withdraw(id)
        for (const sequence of batch.setAside) statements.setAside(sequence)
        for (const progress of batch.progress) saveProgress(statements, progress, now())
        const time = now()
        return batch.appends.map((delivery) => append(statements, delivery, time - dedupeWindowMs))
      })
    },

    registerFeed ({ forwarder, start }: RegisterFeed): Progress {
      const { db, statements } = opened()
      return transaction(db, () => {
        const known = statements.forwarder(forwarder)
        if (known !== undefined) return { ...known, waiting: readWaiting(db, forwarder, now()) }
        const cursor = start === 'now' ? statements.lastSequence() : 0
        statements.addForwarder(forwarder, cursor, now())
        if (start === 'beginning') statements.addReleased(forwarder)
        return { cursor, position: null, waiting: readWaiting(db, forwarder, now()) }
      })
    },

    prune: (options) => prune(opened().db, options),

    close () {
      db?.close()
      db = undefined
      statements = undefined
    }
  }
}

type Statements = ReturnType<typeof prepare>

function prepare (db: Connection) {
  const insertDelivery = db.prepare(`INSERT INTO deliveries (id, received_at, event_type, verdict, hold, source_object, source_id, event_id,
    project_id, customer_id, campaign_id, faults, headers, body_bytes, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertBody = db.prepare('INSERT INTO bodies (sequence, raw_body) VALUES (?, ?)')
  const findKey = db.prepare('SELECT id, verdict, sequence, received_at FROM dedupe_keys WHERE key = ?')
  const putKey = db.prepare(`INSERT INTO dedupe_keys (key, id, verdict, sequence, received_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET id = excluded.id, verdict = excluded.verdict, sequence = excluded.sequence, received_at = excluded.received_at`)
  const countDuplicate = db.prepare('UPDATE deliveries SET duplicates = duplicates + 1 WHERE sequence = ?')
  const findId = db.prepare('SELECT sequence FROM deliveries WHERE id = ?')
  const deleteKeyOf = db.prepare('DELETE FROM dedupe_keys WHERE id = ?')
  const deleteBody = db.prepare('DELETE FROM bodies WHERE sequence = ?')
  const deleteDelivery = db.prepare('DELETE FROM deliveries WHERE sequence = ?')
  const setAside = db.prepare(`UPDATE deliveries SET hold = ${HOLD.damaged} WHERE sequence = ?`)
  const forwarder = db.prepare('SELECT cursor, position FROM forwarders WHERE name = ?')
  const addForwarder = db.prepare('INSERT INTO forwarders (name, cursor, added_at) VALUES (?, ?, ?)')
  const addReleased = db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
    SELECT ?, 0, sequence, customer_id, 1, 0, 0, 0 FROM deliveries WHERE hold = ${HOLD.released}`)
  const saveCursor = db.prepare('UPDATE forwarders SET cursor = ?, position = coalesce(?, position), breaker = coalesce(?, breaker) WHERE name = ?')
  const putWaiting = db.prepare('INSERT OR REPLACE INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const deleteWaiting = db.prepare('DELETE FROM waiting WHERE forwarder = ? AND replay = ? AND sequence = ?')
  const putDeadLetter = db.prepare('INSERT OR REPLACE INTO dead_letters (forwarder, sequence, died_at, attempts, reason) VALUES (?, ?, ?, ?, ?)')
  const deleteDeadLetter = db.prepare('DELETE FROM dead_letters WHERE forwarder = ? AND sequence = ?')
  const insertAttempt = db.prepare('INSERT INTO attempts (sequence, forwarder, replay, attempt, started_at, duration_ms, outcome, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const lastSequence = db.prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0) AS n")
  const lastReplay = db.prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'replays'), 0) AS n")

  return {
    insertDelivery,
    insertBody,
    findKey: (key: string) => findKey.get([key]) as { id: string, verdict: NewDelivery['verdict'], sequence: number, received_at: number } | undefined,
    putKey,
    countDuplicate,
    withdraw (id: string) {
      const found = findId.get([id]) as { sequence: number } | undefined
      if (found === undefined) return
      deleteKeyOf.run([id])
      deleteBody.run([found.sequence])
      deleteDelivery.run([found.sequence])
    },
    setAside: (sequence: number) => { setAside.run([sequence]) },
    forwarder: (name: string) => forwarder.get([name]) as { cursor: number, position: string | null } | undefined,
    addForwarder: (name: string, cursor: number, at: number) => { addForwarder.run([name, cursor, at]) },
    addReleased: (name: string) => { addReleased.run([name]) },
    saveCursor,
    putWaiting,
    deleteWaiting,
    putDeadLetter,
    deleteDeadLetter,
    insertAttempt,
    lastSequence: () => (lastSequence.get([]) as { n: number }).n,
    lastReplay: () => (lastReplay.get([]) as { n: number }).n
  }
}

function append (statements: Statements, delivery: NewDelivery, windowStart: number): AppendResult {
  const { dedupeKey } = delivery
  const first = dedupeKey === null ? undefined : statements.findKey(dedupeKey)
  if (first !== undefined && first.received_at >= windowStart) {
    statements.countDuplicate.run([first.sequence])
    return { status: 'duplicate', id: first.id, verdict: first.verdict }
  }
  const { lastInsertRowid } = statements.insertDelivery.run([
    delivery.id, delivery.receivedAt, delivery.eventType, delivery.verdict, delivery.held ? HOLD.quarantined : HOLD.never,
    delivery.sourceObject, delivery.sourceId, delivery.eventId, delivery.projectId, delivery.customerId, delivery.campaignId,
    delivery.faults.length > 0 ? JSON.stringify(delivery.faults) : null, JSON.stringify(delivery.headers),
    delivery.rawBody.byteLength, checksum(delivery)
  ])
  const sequence = Number(lastInsertRowid)
  statements.insertBody.run([sequence, delivery.rawBody])
  if (dedupeKey !== null) statements.putKey.run([dedupeKey, delivery.id, delivery.verdict, sequence, delivery.receivedAt])
  return { status: 'stored', sequence }
}

function saveProgress (statements: Statements, progress: FeedCommit, time: number): void {
  statements.saveCursor.run([progress.cursor, progress.position ?? null, progress.breaker ?? null, progress.forwarder])
  for (const change of progress.changes) saveChange(statements, progress.forwarder, change, time)
  for (const record of progress.records) {
    statements.insertAttempt.run([
      record.sequence, progress.forwarder, record.replay, record.attempt, record.startedAt, record.durationMs, record.outcome, record.detail
    ])
  }
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
