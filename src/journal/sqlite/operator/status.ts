import type { ForwarderStatus, DeliveryStatus } from '../../../delivery/listing.js'
import type { Connection } from '../database.js'
import { STATE } from '../../record.js'
import { UNKNOWN_FORWARDER } from '../salvage/settle-copies.js'

export interface ForwarderRow {
  readonly name: string
  readonly cursor: number
  readonly began: number
}

interface WaitingRow {
  readonly forwarder: string
  readonly replay: number
  readonly kind: string | null
  readonly attempt: number
  readonly due_at: number
  readonly reason: string | null
}

interface DeadRow {
  readonly forwarder: string
  readonly attempts: number
  readonly died_at: number
  readonly reason: string
}

/** Returns a function that gives the status of a delivery at every known forwarder. */
export function createStatuses (db: Connection): (delivery: { readonly sequence: number, readonly hold: number }) => readonly ForwarderStatus[] {
  const forwarders = db.prepare('SELECT name, cursor, began FROM forwarders WHERE name <> ? ORDER BY name').all([UNKNOWN_FORWARDER]) as ForwarderRow[]
  // If a delivery waits more than once at a forwarder, the map keeps the last row: the mark that is due first.
  const waiting = db.prepare(`SELECT forwarder, replay, (SELECT kind FROM replays WHERE number = replay) AS kind, attempt, due_at, reason
    FROM waiting WHERE sequence = ? ORDER BY due_at DESC`)
  const dead = db.prepare('SELECT forwarder, attempts, died_at, reason FROM dead_letters WHERE sequence = ?')
  const outcomes = db.prepare("SELECT forwarder, outcome FROM attempts WHERE sequence = ? AND outcome IN ('forwarded', 'skipped', 'discarded') ORDER BY rowid")

  return ({ sequence, hold }) => {
    if (hold === STATE.quarantined || hold === STATE.damaged || hold === STATE.erased) {
      const status = hold === STATE.quarantined ? 'quarantined' : hold === STATE.damaged ? 'damaged' : 'erased'
      return forwarders.map(({ name }) => ({ forwarder: name, status }))
    }
    const waits = new Map((waiting.all([sequence]) as WaitingRow[]).map((row) => [row.forwarder, row]))
    const deaths = new Map((dead.all([sequence]) as DeadRow[]).map((row) => [row.forwarder, row]))
    const ends = outcomes.all([sequence]) as Array<{ forwarder: string, outcome: 'forwarded' | 'skipped' | 'discarded' }>
    const successes = new Set(ends.filter(({ outcome }) => outcome === 'forwarded').map((row) => row.forwarder))
    // If it was never forwarded, the last of these outcomes counts.
    const passed = new Map(ends.filter(({ outcome }) => outcome !== 'forwarded').map((row) => [row.forwarder, row.outcome]))

    return forwarders.map(({ name, cursor, began }): ForwarderStatus => {
      const wait = waits.get(name)
      if (wait !== undefined) {
        return {
          forwarder: name,
          status: 'retrying',
          attempt: wait.attempt,
          dueAt: wait.due_at,
          ...(wait.reason === null ? {} : { reason: wait.reason }),
          ...(wait.replay > 0 && wait.kind !== 'release' ? { replay: true } : {})
        }
      }
      const death = deaths.get(name)
      if (death !== undefined) return { forwarder: name, status: 'dead', attempt: death.attempts, diedAt: death.died_at, reason: death.reason }
      return { forwarder: name, status: finished() }

      function finished (): DeliveryStatus {
        if (successes.has(name)) return 'forwarded'
        const end = passed.get(name)
        if (end !== undefined) return end
        if (hold === STATE.released) return 'forwarded'
        if (sequence > cursor) return 'pending'
        return sequence > began ? 'forwarded' : 'before-start'
      }
    })
  }
}
