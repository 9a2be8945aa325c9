import type { BreakerState } from './circuit-breaker.js'
import type { Verdict } from './delivery.js'
import type { Fault } from '../errors/problem.js'

export interface UnfinishedQuery {
  readonly forwarder: string
  readonly ids: readonly string[]
}

export interface ReleaseRequest {
  readonly sequences: readonly number[]
  /** Whether deliveries that are still invalid are released too. */
  readonly force: boolean
}

export interface Released {
  readonly sequence: number
  readonly id: string
  readonly status: 'released' | 'still invalid' | 'too old' | 'not in quarantine' | 'damaged' | 'gone'
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
}

/** Where deliveries are removed from. */
export type DiscardPlace = { readonly from: 'quarantine' } | { readonly from: 'dead letters', readonly forwarder: string }
export type DiscardRequest = DiscardPlace & { readonly sequences: readonly number[] }

export interface Discarded {
  readonly sequence: number
  /** `not there`: the delivery is not in quarantine, or is no dead letter of that forwarder. */
  readonly status: 'discarded' | 'not there'
}

export interface ReplayRequest {
  readonly sequences: readonly number[]
  readonly forwarders: readonly string[]
  /** Whether to forward deliveries that the forwarder's filter does not let through. */
  readonly force?: boolean
  /** Whether to pass over deliveries that a forwarder has not finished yet: it gets them anyway. */
  readonly finishedOnly: boolean
  /** The reason for the replay, shown to people. */
  readonly description: string
  /** Whether to count only, and change nothing. */
  readonly dryRun: boolean
}

export interface Replayed {
  /** The number of replays made, one for each delivery and forwarder. */
  readonly replays: number
  readonly passedOver: number
  /** The number of replays not made because the forwarder's filter does not let the delivery through. */
  readonly filtered: number
  /** The deliveries that are in quarantine, damaged, erased or gone, or that no forwarder's filter lets through. */
  readonly refused: readonly { readonly sequence: number, readonly why: 'quarantined' | 'damaged' | 'erased' | 'gone' | 'filtered' }[]
}

export interface KnownForwarder {
  readonly name: string
  readonly addedAt: number
  readonly cursor: number
  /** Deliveries after its cursor that neither wait nor are dead: the forwarder has not been given them yet, or an attempt is under way. */
  readonly pending: number
  /** Deliveries that wait for another attempt, behind such a delivery in their lane, or as a replay. */
  readonly retrying: number
  readonly dead: number
  /** When the oldest delivery was received that the forwarder has not finished, without replays; `null` if there is none. */
  readonly oldestReceivedAt: number | null
  /** The breaker's state that the service stored last. */
  readonly breaker: BreakerState
  /** Whether an operator has paused the forwarder. */
  readonly paused: boolean
  /** The name of the replica that leads the forwarder; `null` if none does. Absent if the engine has no replicas. */
  readonly leader?: string | null
  /** The only replica that may lead the forwarder; `null` if any may. */
  readonly home?: string | null
}

export interface Verified {
  readonly checked: number
  /** The last sequence that was checked. */
  readonly upTo: number
  readonly damaged: readonly { readonly sequence: number, readonly id: string | null }[]
  readonly done: boolean
}

export interface RetentionLimits {
  /**
   * The current time, in milliseconds since the epoch. A delivery that was received later than this has its time from a wrong clock. It is
   * treated as being as old as the deliveries that follow it.
   */
  readonly now: number
  /** Deliveries received before this time may be removed, in milliseconds since the epoch. */
  readonly receivedBefore: number
  /** Quarantined deliveries received before this time may be removed. */
  readonly quarantinedBefore: number
  /**
   * Above this size of the store the oldest deliveries may be removed too; 0 means no limit. A quarter of the size is for the quarantine, and
   * the rest for everything else, so neither evicts the other.
   */
  readonly maxBytes: number
  /** Deduplication keys of deliveries received before this time may be removed. */
  readonly keysBefore: number
}

export interface Pruned {
  readonly removed: number
  /** How many of the removed were quarantined deliveries evicted because the quarantine's share of the store was full. */
  readonly evicted: number
  /** The `after` of the next step; `undefined` if there is nothing more to remove. */
  readonly next: number | undefined
}

export interface Prunable {
  /** How many deliveries are too old. */
  readonly deliveries: number
  readonly usedBytes: number
}

/**
 * A person in the list of the erased: the digest of a customer id, source id or e-mail address in lower case. The list never holds the text
 * itself.
 */
export interface Person {
  readonly by: 'customer' | 'source_id' | 'email'
  /** SHA-256, in hexadecimal. */
  readonly digest: string
}

export interface EraseRequest {
  readonly people: readonly Person[]
  readonly after: number
  readonly limit: number
  /** Whether to erase unfinished deliveries too. They then reach no forwarder. */
  readonly force: boolean
  /** Whether to count only, and erase nothing. */
  readonly dryRun: boolean
}

export interface ErasedDelivery {
  readonly id: string
  /** The forwarders that took the delivery, if their attempts are still stored. */
  readonly forwardedTo: readonly string[]
}

export interface Erased {
  readonly erased: readonly ErasedDelivery[]
  /** Deliveries not erased, because a forwarder has not finished them, or an operator has yet to replay, release or discard them. */
  readonly unfinished: ReadonlyArray<{ readonly id: string, readonly why: 'waiting' | 'dead' | 'quarantined' }>
  /** The number of notes in other deliveries and replays that named one of the people. */
  readonly mentions: number
  /** The last sequence that was looked at. */
  readonly upTo: number
  readonly done: boolean
}

export interface Scrubbed {
  readonly done: boolean
}
