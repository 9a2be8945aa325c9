import { TOO_OLD } from '../../../delivery/delivery.js'
import type { Released, ReleaseRequest } from '../../../delivery/operator-requests.js'
import { unlessDamaged, transaction, type Connection } from '../database.js'
import { checksum, DELIVERY_COLUMNS, STATE, toDelivery, toRow, type DeliveryRow } from '../../record.js'
import { UNKNOWN_FORWARDER } from '../salvage/settle-copies.js'
import { bodyReader } from './deliveries.js'

/** Validates an event again, with the current schemas. */
export type Judge = (event: { readonly eventType: string, readonly rawBody: Uint8Array }) => Pick<Released, 'verdict' | 'faults'>

/**
 * Releases deliveries from quarantine. Feeds read only accepted deliveries in order, so each released one gets a durable mark for every
 * known forwarder, whatever its cursor. No forwarder misses it or gets it twice.
 */
export function release (db: Connection, { sequences, force }: ReleaseRequest, judge: Judge, now: number): readonly Released[] {
  const judged = sequences.map(judgeOne(db, force, judge))
  const free = judged.filter(({ result }) => result.status === 'released')
  if (free.length === 0) return judged.map(({ result }) => result)
  const update = db.prepare(`UPDATE deliveries SET hold = ${STATE.released}, verdict = ?, faults = ?, checksum = ? WHERE sequence = ? AND hold = ${STATE.quarantined}`)
  const mark = db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
    SELECT f.name, ?, d.sequence, d.customer_id, 1, 0, 0, ? FROM forwarders f CROSS JOIN deliveries d WHERE d.sequence = ? AND f.name <> '${UNKNOWN_FORWARDER}'`)
  const lost = transaction(db, () => {
    const number = addReplays(db, { kind: 'release', description: 'released from quarantine', now })
    return free.filter(({ result: { sequence, verdict, faults }, checksumWith }) => {
      const faultsText = faults.length > 0 ? JSON.stringify(faults) : null
      // Another process may have released or discarded it meanwhile.
      if (update.run([verdict, faultsText, checksumWith({ verdict, faults: faultsText }), sequence]).changes === 0) return true
      mark.run([number, now, sequence])
      return false
    })
  })
  return judged.map((each) => lost.includes(each) ? { ...each.result, status: 'not in quarantine' } : each.result)
}

interface Judged {
  readonly result: Released
  /** The record's checksum after the release. */
  readonly checksumWith: (changed: Pick<DeliveryRow, 'verdict' | 'faults'>) => number
}

function judgeOne (db: Connection, force: boolean, judge: Judge): (sequence: number) => Judged {
  const select = db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence = ?`)
  const readBody = bodyReader(db)
  const none = (result: Released): Judged => ({ result, checksumWith: () => 0 })
  return (sequence) => {
    const gone = { sequence, id: '', verdict: 'unvalidated' as const, faults: [] }
    const row = unlessDamaged(() => toRow(select.get([sequence])), 'damaged')
    if (row === 'damaged') return none({ ...gone, status: 'damaged' })
    if (row === undefined) return none({ ...gone, status: 'gone' })
    const unchanged = { sequence, id: row.id, verdict: row.verdict, faults: [] }
    if (row.hold === STATE.damaged) return none({ ...unchanged, status: 'damaged' })
    if (row.hold !== STATE.quarantined) return none({ ...unchanged, status: 'not in quarantine' })
    const rawBody = readBody(sequence)
    const delivery = rawBody === undefined ? undefined : toDelivery(row, rawBody)
    if (rawBody === undefined || delivery === undefined) return none({ ...unchanged, status: 'damaged' })
    const { verdict, faults } = judge({ eventType: row.event_type, rawBody })
    const tooOld = delivery.faults.filter(({ message }) => message === TOO_OLD)
    const status = force ? 'released' : verdict === 'invalid' ? 'still invalid' : tooOld.length > 0 ? 'too old' : 'released'
    return {
      result: { sequence, id: row.id, status, verdict, faults: status === 'released' ? faults : [...faults, ...tooOld] },
      checksumWith: (changed) => checksum({ ...row, ...changed, hold: STATE.released }, rawBody)
    }
  }
}

/** Adds a new replay number, under which deliveries are then marked. A running service notices the number, and reads the marks. */
export function addReplays (db: Connection, { kind, description, now }: { kind: 'replay' | 'release' | 'forced', description: string, now: number }): number {
  return Number(db.prepare('INSERT INTO replays (requested_at, kind, description) VALUES (?, ?, ?)').run([now, kind, description]).lastInsertRowid)
}
