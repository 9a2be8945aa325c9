import type { Discarded, DiscardRequest } from '../../../delivery/operator-requests.js'
import { transaction, type Connection } from '../database.js'
import { removeDeliveries } from '../prune.js'
import { STATE } from '../../record.js'

/**
 * Removes quarantined deliveries, or dead letters of one forwarder, for good. The deduplication key of a delivery stays, so that a
 * duplicate of it is not taken for a new event. A discarded dead letter leaves an attempt that says so.
 */
export function discard (db: Connection, request: DiscardRequest, now: number): readonly Discarded[] {
  return transaction(db, () => request.from === 'quarantine' ? discardQuarantined(db, request.sequences) : discardDead(db, request, now))
}

function discardQuarantined (db: Connection, sequences: readonly number[]): readonly Discarded[] {
  const select = db.prepare(`SELECT id FROM deliveries WHERE sequence = ? AND hold = ${STATE.quarantined}`)
  return sequences.map((sequence) => {
    const row = select.get([sequence]) as { id: string } | undefined
    if (row === undefined) return { sequence, status: 'not there' }
    removeDeliveries(db, [{ sequence }])
    return { sequence, status: 'discarded' }
  })
}

function discardDead (db: Connection, { sequences, forwarder }: Extract<DiscardRequest, { from: 'dead letters' }>, now: number): readonly Discarded[] {
  const remove = db.prepare('DELETE FROM dead_letters WHERE forwarder = ? AND sequence = ? RETURNING attempts')
  const note = db.prepare(`INSERT INTO attempts (forwarder, sequence, replay, attempt, started_at, duration_ms, outcome, detail)
    VALUES (?, ?, 0, ?, ?, 0, 'discarded', 'by an operator')`)
  return sequences.map((sequence) => {
    const row = remove.get([forwarder, sequence]) as { attempts: number } | undefined
    if (row === undefined) return { sequence, status: 'not there' }
    note.run([forwarder, sequence, row.attempts, now])
    return { sequence, status: 'discarded' }
  })
}
