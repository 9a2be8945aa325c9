import type { Released, ReleaseRequest } from '../../../delivery/operator.js'
import type { Connection } from '../database.js'
import { checksum, HOLD } from '../record.js'
import { transaction } from '../transaction.js'
import { bodyReader } from './deliveries.js'

/** Judges an event anew, by the schemas of today. */
export type Judge = (event: { readonly eventType: string, readonly rawBody: Uint8Array }) => Pick<Released, 'verdict' | 'faults'>

interface HeldRow {
  readonly id: string
  readonly event_type: string
  readonly verdict: Released['verdict']
  readonly hold: number
  readonly checksum: number
}

/**
 * A cursor takes only what was never held, so what is released gets a durable mark for every known forwarder, wherever
 * their cursors stand: none misses it, and none gets it twice.
 */
export function release (db: Connection, { sequences, force }: ReleaseRequest, judge: Judge, now: number): readonly Released[] {
  const judged = sequences.map(judgeOne(db, force, judge))
  const free = judged.filter(({ status }) => status === 'released')
  if (free.length === 0) return judged
  const update = db.prepare(`UPDATE deliveries SET hold = ${HOLD.released}, verdict = ?, faults = ? WHERE sequence = ? AND hold = ${HOLD.quarantined}`)
  const mark = db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
    SELECT f.name, ?, d.sequence, d.customer_id, 1, 0, 0, ? FROM forwarders f CROSS JOIN deliveries d WHERE d.sequence = ?`)
  const lost = transaction(db, () => {
    const number = addReplays(db, { kind: 'release', description: 'released from quarantine', now })
    return free.filter(({ sequence, verdict, faults }) => {
      // Another command may have been quicker.
      if (update.run([verdict, faults.length > 0 ? JSON.stringify(faults) : null, sequence]).changes === 0) return true
      mark.run([number, now, sequence])
      return false
    })
  })
  return judged.map((result) => lost.includes(result) ? { ...result, status: 'not in quarantine' } : result)
}

function judgeOne (db: Connection, force: boolean, judge: Judge): (sequence: number) => Released {
  const select = db.prepare('SELECT id, event_type, verdict, hold, checksum FROM deliveries WHERE sequence = ?')
  const readBody = bodyReader(db)
  return (sequence) => {
    const row = select.get([sequence]) as HeldRow | undefined
    if (row === undefined) return { sequence, id: '', status: 'gone', verdict: 'unvalidated', faults: [] }
    const { id, event_type: eventType, verdict } = row
    const unchanged = { sequence, id, verdict, faults: [] }
    if (row.hold === HOLD.damaged) return { ...unchanged, status: 'damaged' }
    if (row.hold !== HOLD.quarantined) return { ...unchanged, status: 'not in quarantine' }
    const rawBody = readBody(sequence)
    if (rawBody === undefined || checksum({ id, eventType, rawBody }) !== row.checksum) return { ...unchanged, status: 'damaged' }
    const judgement = judge({ eventType, rawBody })
    return { sequence, id, status: judgement.verdict === 'invalid' && !force ? 'still invalid' : 'released', ...judgement }
  }
}

/** A new number for marks of deliveries to be forwarded: a running service notices it, and then reads the marks. */
export function addReplays (db: Connection, { kind, description, now }: { kind: 'replay' | 'release', description: string, now: number }): number {
  return Number(db.prepare('INSERT INTO replays (requested_at, kind, description) VALUES (?, ?, ?)').run([now, kind, description]).lastInsertRowid)
}
