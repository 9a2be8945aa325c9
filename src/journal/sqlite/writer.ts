import type { AppendResult, Progress } from '../engine.js'
import { closeAfterWriting, isDamage, unlessDamaged, transaction, type Connection } from './database.js'
import { rememberOpenFiles } from './open-files.js'
import { openOrSalvage } from './open-or-salvage.js'
import type { AppendRecord } from './packed-appends.js'
import { prune } from './prune.js'
import type { Batch, BatchResult, RegisterFeed, WriterApi } from './protocol.js'
import { STATE, textChecksum } from '../record.js'
import { UNKNOWN_FORWARDER, type RememberedForwarder } from './salvage/settle-copies.js'
import { saveProgress } from './save-progress.js'
import { addSystemCause, withSystemCause } from './system-cause.js'
import { APPLICATION_ID } from './schema.js'
import { settledAfter, shortenWaits } from './waiting.js'
import { prepareStatements, type FoundKey, type WriterStatements } from './writer-statements.js'

/** For this long after a salvage, an unknown forwarder may be one that was lost to the damage, in milliseconds. */
const UNKNOWN_KEPT_MS = 3_600_000

/** Creates the writing side of the journal. It is synchronous, and runs in the store thread so that a slow disk delays nothing else. */
export function createWriter (now: () => number): WriterApi {
  let db: Connection | undefined
  let statements: WriterStatements | undefined
  let path = ''
  let checkOpenFiles = (): void => {}
  let dedupeWindowMs = 0
  /** The cursors and positions of the forwarders that are served, in case the disk loses them. */
  const remembered = new Map<string, RememberedForwarder>()

  function opened (): { db: Connection, statements: WriterStatements } {
    if (db === undefined || statements === undefined) throw new Error('The journal is not open')
    return { db, statements }
  }

  function commitBatch (batch: Batch): Omit<BatchResult, 'keysDamaged'> {
    const { db, statements } = opened()
    const result = transaction(db, () => {
      for (const id of batch.withdraw) statements.withdraw(id)
      // Write even if none is found: that overwrites what a failed commit left in the log, and only a write shows whether the disk works.
      if (batch.withdraw.length > 0) writeNothingNew(db)
      const time = now()
      const progressError = saveProgress(db, statements, batch.progress, time)
      return { appends: batch.appends.map((record) => append(statements, record, { time, dedupeWindowMs })), progressError }
    })
    if (result.progressError === undefined) for (const progress of batch.progress) remember(progress)
    return result
  }

  function remember ({ forwarder, cursor, position }: { readonly forwarder: string, readonly cursor: number, readonly position?: string | null | undefined }): void {
    remembered.set(forwarder, { forwarder, cursor, position: position ?? remembered.get(forwarder)?.position ?? null })
  }

  function close (): void {
    if (db !== undefined) closeAfterWriting(db)
    db = undefined
    statements = undefined
  }

  return {
    open ({ withdrawn, damaged = false, reopened = false, above = 0, ...options }) {
      close()
      path = options.path
      const { used, salvaged, ...opened } = withSystemCause(path, () => openOrSalvage(path, {
        damaged,
        reopened,
        above,
        remembered: [...remembered.values()],
        now,
        use (connection) {
          const prepared = prepareStatements(connection)
          // The write also proves that the file is writable: SQLite opens a file without write permission as read-only.
          transaction(connection, () => {
            for (const id of withdrawn) prepared.withdraw(id)
            shortenWaits(connection, now())
          })
          return prepared
        }
      }))
      db = opened.db
      statements = used
      checkOpenFiles = rememberOpenFiles(path)
      dedupeWindowMs = options.dedupeWindowMs
      return { lastSequence: used.lastSequence(), lastReceivedAt: used.lastReceivedAt(), salvaged }
    },

    commit (batch) {
      checkOpenFiles()
      try {
        return { ...commitBatch(batch), keysDamaged: false }
      } catch (error) {
        if (!isDamage(error)) throw addSystemCause(error, path)
        // If pages of deduplication keys are damaged, store without keys: an event may be stored twice, but none is lost.
        return { ...commitBatch({ ...batch, appends: batch.appends.map((record) => ({ ...record, dedupeKey: null })) }), keysDamaged: true }
      }
    },

    probe () {
      const { db } = opened()
      checkOpenFiles()
      withSystemCause(path, () => { transaction(db, () => { writeNothingNew(db) }) })
    },

    checkFiles () { checkOpenFiles() },

    shortenWaits () {
      const { db } = opened()
      transaction(db, () => { shortenWaits(db, now()) })
    },

    setAside (sequences) {
      const { db, statements } = opened()
      for (const sequence of sequences) unlessDamaged(() => { transaction(db, () => { statements.setAside(sequence) }) }, undefined)
    },

    registerFeed ({ forwarder, cursor, filter }: RegisterFeed): Omit<Progress, 'term'> {
      const { db, statements } = opened()
      checkOpenFiles()
      const progress = transaction(db, () => {
        const known = statements.forwarder(forwarder)
        if (known !== undefined) return { ...known, settled: settledAfter(db, forwarder, known.cursor) }
        // It may be a forwarder that was lost to damage: then it begins with the oldest delivery.
        const from = statements.forwarder(UNKNOWN_FORWARDER) === undefined ? cursor : 0
        statements.addForwarder(forwarder, from, now())
        if (from === 0) statements.addReleased(forwarder)
        return { cursor: from, position: null, paused: false, settled: settledAfter(db, forwarder, from) }
      })
      statements.keepFilter(forwarder, filter ?? null)
      remember({ forwarder, ...progress })
      return progress
    },

    prune (options) {
      const { db, statements } = opened()
      checkOpenFiles()
      statements.forgetUnknown(now() - UNKNOWN_KEPT_MS)
      return prune(db, options)
    },
    close
  }
}

/** Makes SQLite write and sync a page without changing its content. */
function writeNothingNew (db: Connection): void {
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
}

interface Window {
  readonly time: number
  readonly dedupeWindowMs: number
}

function append (statements: WriterStatements, record: AppendRecord, window: Window): AppendResult {
  const { text, values, id, receivedAt, verdict, dedupeKey, rawBody } = record
  const first = dedupeKey === null ? undefined : statements.findKey(dedupeKey)
  if (first !== undefined && isCopy(statements, record, first, window)) {
    statements.countDuplicate.run([first.sequence])
    return { id: first.id, verdict: first.verdict }
  }
  const sequence = Number(statements.insertDelivery.run([...values, textChecksum(text, rawBody)]).lastInsertRowid)
  statements.insertBody.run([sequence, rawBody])
  if (dedupeKey !== null) statements.putKey.run([dedupeKey, id, verdict, sequence, receivedAt])
  return sequence
}

/** Whether a new delivery is a duplicate of the first one with its key. */
function isCopy (statements: WriterStatements, { dedupeWithinMs }: AppendRecord, first: Pick<FoundKey, 'sequence' | 'received_at'>, { time, dedupeWindowMs }: Window): boolean {
  const state = statements.stateOf(first.sequence)
  // A damaged record is never forwarded, so the copy that the sender still has replaces it.
  if (state === STATE.damaged) return false
  if (first.received_at >= time - (dedupeWithinMs ?? dedupeWindowMs)) return true
  // Without a limit of its own, the new delivery is a duplicate for as long as the first one is stored.
  return dedupeWithinMs === null && state !== undefined
}
