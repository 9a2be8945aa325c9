import type { Prunable } from '../../../delivery/operator-requests.js'
import type { Connection } from '../database.js'
import { usedBytes } from '../prune.js'
import { IS_QUARANTINED } from '../../conditions.js'
import { STATE } from '../../record.js'

/** Counts the deliveries that are old enough to remove, and that no forwarder or operator still needs. */
export function countPrunable (db: Connection, receivedBefore: number): Prunable {
  const row = db.prepare(`SELECT count(*) AS n FROM deliveries d
    WHERE d.sequence <= (SELECT coalesce(min(cursor), ${Number.MAX_SAFE_INTEGER}) FROM forwarders) AND d.hold <> ${STATE.quarantined} AND d.received_at < ?
      AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = d.sequence)
      AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.sequence = d.sequence)`).get([receivedBefore]) as { n: number }
  return { deliveries: row.n, usedBytes: usedBytes(db) }
}

/** Counts the quarantined deliveries. Reads only the index of deliveries that are not accepted, whatever the size of the store. */
export function countQuarantined (db: Connection): number {
  const row = db.prepare(`SELECT count(*) AS n FROM deliveries INDEXED BY deliveries_held WHERE ${IS_QUARANTINED}`).get([]) as { n: number }
  return row.n
}
