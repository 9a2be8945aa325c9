import type { Connection } from '../database.js'
import { HOLD } from '../record.js'

/** How many deliveries are in quarantine: by the index of what is held, whatever the size of the store. */
export function countQuarantined (db: Connection): number {
  const row = db.prepare(`SELECT count(*) AS n FROM deliveries INDEXED BY deliveries_held WHERE hold = ${HOLD.quarantined} AND hold <> ${HOLD.never}`).get([]) as { n: number }
  return row.n
}
