import type { FeedCommit } from '../engine.js'
import type { Change } from '../schedule.js'
import { codeOf, type Connection } from './database.js'
import type { StorageError } from './protocol.js'
import { cursorChecksum } from '../record.js'
import type { WriterStatements } from './writer-statements.js'

/**
 * Saves progress in a savepoint. If that fails, for example on a damaged page, only the progress is rolled back, so that webhooks are
 * still stored. Returns the error then.
 */
export function saveProgress (db: Connection, statements: WriterStatements, progress: readonly FeedCommit[], time: number): StorageError | undefined {
  if (progress.length === 0) return undefined
  db.exec('SAVEPOINT progress')
  try {
    for (const each of progress) saveOne(statements, withoutErased(statements, each), time)
    db.exec('RELEASE progress')
    return undefined
  } catch (error) {
    // After some errors, such as a full disk, SQLite has rolled the whole transaction back.
    if (!db.inTransaction()) throw error
    db.exec('ROLLBACK TO progress; RELEASE progress')
    return { message: error instanceof Error ? error.message : String(error), code: codeOf(error) }
  }
}

function saveOne (statements: WriterStatements, progress: FeedCommit, time: number): void {
  statements.saveCursor.run([progress.cursor, cursorChecksum(progress.forwarder, progress.cursor), progress.position ?? null, progress.breaker ?? null, progress.forwarder])
  const skipped = skippedOf(progress)
  for (const change of progress.changes) saveChange(statements, progress.forwarder, change, { time, skipped })
  // The store thread may have ended between the earlier commit and its answer.
  if (progress.again === true) for (const record of progress.records) statements.forgetAttempt(progress.forwarder, record)
  statements.insertAttempts(progress.forwarder, progress.records)
}

/** An attempt may end after its delivery was erased by force. Then no mark, no dead letter and no answer of the destination is stored. */
function withoutErased (statements: WriterStatements, progress: FeedCommit): FeedCommit {
  const { changes, records } = progress
  const sequences = [...changes.map(({ entry }) => entry.sequence), ...records.map(({ sequence }) => sequence)]
  if (sequences.length === 0) return progress
  const erased = new Set(statements.erasedBetween(Math.min(...sequences), Math.max(...sequences)))
  if (erased.size === 0) return progress
  return {
    ...progress,
    changes: changes.map((change) => erased.has(change.entry.sequence) ? { type: 'finish', entry: change.entry } : change),
    records: records.map((record) => erased.has(record.sequence) ? { ...record, detail: null } : record)
  }
}

/** The deliveries that the forwarder's filter did not want, as `placeOf` names them. */
function skippedOf ({ records }: FeedCommit): ReadonlySet<string> {
  return new Set(records.filter(({ outcome }) => outcome === 'skipped').map(({ replay, sequence }) => placeOf(replay, sequence)))
}

function placeOf (replay: number, sequence: number): string {
  return `${replay} ${sequence}`
}

function saveChange (statements: WriterStatements, forwarder: string, change: Change, { time, skipped }: { readonly time: number, readonly skipped: ReadonlySet<string> }): void {
  const { sequence, replay, lane, attempt, waitedMs } = change.entry
  switch (change.type) {
    case 'wait':
      statements.putWaiting.run([forwarder, replay, sequence, lane, attempt, Math.round(waitedMs), Math.round(change.delayMs), Math.round(time + change.delayMs), change.reason])
      break
    case 'finish':
      statements.deleteWaiting.run([forwarder, replay, sequence])
      // A replay that was forwarded removes the delivery's dead letter. One that the filter skipped does not.
      if (replay > 0 && !skipped.has(placeOf(replay, sequence))) statements.deleteDeadLetter.run([forwarder, sequence])
      break
    case 'dead':
      statements.deleteWaiting.run([forwarder, replay, sequence])
      statements.putDeadLetter.run([forwarder, sequence, time, attempt, change.reason])
  }
}
