import type { ForwarderStatus } from '../../../delivery/listing.js'
import { statusAt, statusByState, type DeadRow, type ForwarderRow, type WaitingRow } from '../../delivery-status.js'
import type { DeliveryRow } from '../../record.js'
import type { Connection } from '../database.js'
import { UNKNOWN_FORWARDER } from '../salvage/settle-copies.js'

interface At {
  readonly forwarder: string
}

/** Returns a function that gives the status of a delivery at every known forwarder. */
export function createStatuses (db: Connection): (delivery: Pick<DeliveryRow, 'sequence' | 'hold'>) => readonly ForwarderStatus[] {
  const forwarders = db.prepare('SELECT name, cursor, began FROM forwarders WHERE name <> ? ORDER BY name').all([UNKNOWN_FORWARDER]) as ForwarderRow[]
  // If a delivery waits more than once at a forwarder, the map keeps the last row: the mark that is due first.
  const waiting = db.prepare(`SELECT forwarder, replay, (SELECT kind FROM replays WHERE number = replay) AS kind, attempt, due_at, reason
    FROM waiting WHERE sequence = ? ORDER BY due_at DESC`)
  const dead = db.prepare('SELECT forwarder, attempts, died_at, reason FROM dead_letters WHERE sequence = ?')
  const outcomes = db.prepare("SELECT forwarder, outcome FROM attempts WHERE sequence = ? AND outcome IN ('forwarded', 'skipped', 'discarded') ORDER BY rowid")

  return (row) => {
    const { sequence, hold } = row
    const everywhere = statusByState(hold)
    if (everywhere !== undefined) return forwarders.map(({ name }) => ({ forwarder: name, status: everywhere }))
    const waits = new Map((waiting.all([sequence]) as Array<At & WaitingRow>).map((mark) => [mark.forwarder, mark]))
    const deaths = new Map((dead.all([sequence]) as Array<At & DeadRow>).map((death) => [death.forwarder, death]))
    const ends = outcomes.all([sequence]) as Array<At & { readonly outcome: 'forwarded' | 'skipped' | 'discarded' }>
    const successes = new Set(ends.filter(({ outcome }) => outcome === 'forwarded').map(({ forwarder }) => forwarder))
    const passed = new Map(ends.flatMap(({ forwarder, outcome }) => outcome === 'forwarded' ? [] : [[forwarder, outcome] as const]))
    return forwarders.map((forwarder) => {
      const { name } = forwarder
      return statusAt(row, forwarder, { wait: waits.get(name), death: deaths.get(name), wasForwarded: successes.has(name), passed: passed.get(name) })
    })
  }
}
