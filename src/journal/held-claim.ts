import type { Delivery } from '../delivery/delivery.js'
import type { Claim } from '../delivery/journal.js'
import type { Entry, Schedule } from './schedule.js'

/**
 * A claim that holds its entry until it is settled. A map from claims to entries was slower: V8 keeps the entries removed from a busy
 * map, and all that they refer to, until the next full collection. Copying them again and again took a fifth of the forwarding time.
 */
export class HeldClaim implements Claim {
  readonly delivery: Delivery
  readonly attempt: number
  readonly replay: boolean
  readonly forced: boolean
  readonly waitedMs: number
  readonly #schedule: Schedule
  #entry: Entry | undefined

  constructor (schedule: Schedule, entry: Entry, delivery: Delivery) {
    this.delivery = delivery
    this.attempt = entry.attempt
    this.replay = entry.replay > 0 && entry.released !== true
    this.forced = entry.forced === true
    this.waitedMs = entry.waitedMs
    this.#schedule = schedule
    this.#entry = entry
  }

  /** Returns the claim's entry the first time, if it belongs to this schedule. */
  takeEntry (schedule: Schedule): Entry | undefined {
    if (schedule !== this.#schedule) return undefined
    const entry = this.#entry
    this.#entry = undefined
    return entry
  }
}
