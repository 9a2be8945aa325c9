import type { UnfinishedQuery } from '../../../delivery/operator.js'
import type { Connection } from '../database.js'
import { HOLD } from '../record.js'

/** Those of the deliveries that a forwarder has yet to finish: it has not come to them, or a mark waits for it. */
export function unfinished (db: Connection, { forwarder, ids }: UnfinishedQuery): readonly string[] {
  const find = db.prepare(`SELECT 1 FROM deliveries d JOIN forwarders f ON f.name = ? WHERE d.id = ? AND (
    (d.hold = ${HOLD.never} AND d.sequence > f.cursor AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.forwarder = f.name AND l.sequence = d.sequence))
    OR EXISTS (SELECT 1 FROM waiting w WHERE w.forwarder = f.name AND w.sequence = d.sequence))`)
  return ids.filter((id) => find.get([forwarder, id]) !== undefined)
}
