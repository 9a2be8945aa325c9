import type { DeliveryStatus, ForwarderStatus } from '../delivery/listing.js'
import { STATE, type DeliveryRow } from './record.js'

export interface ForwarderRow {
  readonly name: string
  readonly cursor: number
  /** The sequence after which the forwarder began. */
  readonly began: number
}

/** A mark of a delivery that waits, with the kind of its replay. */
export interface WaitingRow {
  readonly replay: number
  readonly kind: string | null
  readonly attempt: number
  readonly due_at: number
  readonly reason: string | null
}

export interface DeadRow {
  readonly attempts: number
  readonly died_at: number
  readonly reason: string
}

/** What is stored about a delivery at one forwarder. */
export interface StoredOutcome {
  /** If the delivery waits more than once, the mark that is due first. */
  readonly wait: WaitingRow | undefined
  readonly death: DeadRow | undefined
  readonly wasForwarded: boolean
  /** The last of its other outcomes. It counts if the delivery was never forwarded. */
  readonly passed: 'skipped' | 'discarded' | undefined
}

/** Returns the status of a delivery at a forwarder. */
export function statusAt (delivery: Pick<DeliveryRow, 'sequence' | 'hold'>, forwarder: ForwarderRow, stored: StoredOutcome): ForwarderStatus {
  const { name } = forwarder
  const { wait, death, wasForwarded, passed } = stored
  const everywhere = statusByState(delivery.hold)
  if (everywhere !== undefined) return { forwarder: name, status: everywhere }
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
  if (death !== undefined) return { forwarder: name, status: 'dead', attempt: death.attempts, diedAt: death.died_at, reason: death.reason }
  return { forwarder: name, status: wasForwarded ? 'forwarded' : passed ?? statusByCursor(delivery, forwarder) }
}

/** The status at every forwarder, if the delivery's state alone decides it; else `undefined`. */
export function statusByState (hold: number): 'quarantined' | 'damaged' | 'erased' | undefined {
  switch (hold) {
    case STATE.quarantined: return 'quarantined'
    case STATE.damaged: return 'damaged'
    case STATE.erased: return 'erased'
    default: return undefined
  }
}

/** The status if no outcome is stored: the cursor alone tells. */
function statusByCursor ({ sequence, hold }: Pick<DeliveryRow, 'sequence' | 'hold'>, { cursor, began }: ForwarderRow): DeliveryStatus {
  if (hold === STATE.released) return 'forwarded'
  if (sequence > cursor) return 'pending'
  return sequence > began ? 'forwarded' : 'before-start'
}
