import type { BreakerState } from './circuit-breaker.js'
import type { Verdict } from './delivery.js'
import type { Fault } from '../errors/problem.js'

export interface UnfinishedQuery {
  readonly forwarder: string
  readonly ids: readonly string[]
}

export interface ReleaseRequest {
  readonly sequences: readonly number[]
  /** Whether also what is still invalid gets out. */
  readonly force: boolean
}

export interface Released {
  readonly sequence: number
  readonly id: string
  readonly status: 'released' | 'still invalid' | 'too old' | 'not in quarantine' | 'damaged' | 'gone'
  readonly verdict: Verdict
  readonly faults: readonly Fault[]
}

/** What is removed from. */
export type DiscardPlace = { readonly from: 'quarantine' } | { readonly from: 'dead letters', readonly forwarder: string }
export type DiscardRequest = DiscardPlace & { readonly sequences: readonly number[] }

export interface Discarded {
  readonly sequence: number
  /** `not there`: it is not in quarantine, or is no dead letter of that forwarder. */
  readonly status: 'discarded' | 'not there'
}

export interface ReplayRequest {
  readonly sequences: readonly number[]
  readonly forwarders: readonly string[]
  /** Whether it goes out although the forwarder's filter would pass it over. */
  readonly force?: boolean
  /** Whether what a forwarder has yet to get on its first way is passed over: it gets it anyway. */
  readonly finishedOnly: boolean
  /** Why, for people to see. */
  readonly description: string
  /** Whether it is only counted. */
  readonly dryRun: boolean
}

export interface Replayed {
  /** How many replays there are now, one for each delivery and forwarder. */
  readonly replays: number
  readonly passedOver: number
  /** How many were not asked for, because the forwarder's filter passes the delivery over. */
  readonly filtered: number
  /** Those of the sequences that are in quarantine, damaged or gone, or that no forwarder's filter lets through. */
  readonly refused: readonly { readonly sequence: number, readonly why: 'quarantined' | 'damaged' | 'erased' | 'gone' | 'filtered' }[]
}

export interface KnownForwarder {
  readonly name: string
  readonly addedAt: number
  readonly cursor: number
  /** Deliveries behind its cursor that neither wait nor are dead: it has yet to get them, or has them in hand. */
  readonly pending: number
  /** Deliveries that wait for another attempt, behind one that does, or as a replay. */
  readonly retrying: number
  readonly dead: number
  /** When the oldest delivery was received that is still on its first way to it; `null` where there is none. */
  readonly oldestReceivedAt: number | null
  /** What the service noted last. */
  readonly breaker: BreakerState
  /** Whether an operator has paused it. */
  readonly paused: boolean
  /** The replica that leads it, by its name; `null` where none does. Absent where there are no replicas. */
  readonly leader?: string | null
  /** The only replica that may lead it, where that is so. */
  readonly home?: string | null
}

export interface Verified {
  readonly checked: number
  /** The last sequence that was looked at. */
  readonly upTo: number
  readonly damaged: readonly { readonly sequence: number, readonly id: string | null }[]
  readonly done: boolean
}

export interface RetentionLimits {
  /** The time, in milliseconds since the epoch: what is of a later time has it from a wrong clock, and is as old as what follows it. */
  readonly now: number
  /** Deliveries received before this time (milliseconds since the epoch) may go. */
  readonly receivedBefore: number
  /** What is in quarantine and was received before this time may go. */
  readonly quarantinedBefore: number
  /**
   * Above this size of the store the oldest may go too; 0: no limit. A quarter of it is for what is in quarantine, and the rest for all else:
   * neither pushes the other out.
   */
  readonly maxBytes: number
  /** Deduplication keys of deliveries received before this time may go. */
  readonly keysBefore: number
}

export interface Pruned {
  readonly removed: number
  /** How many of them were in quarantine and went because its share of the store was full. */
  readonly evicted: number
  /** The sequence after which the next step begins; `undefined` when there is nothing more to remove. */
  readonly next: number | undefined
}

export interface Prunable {
  /** How many are too old. */
  readonly deliveries: number
  readonly usedBytes: number
}

/** A person as the list of the erased knows them: by a digest of their id, source id or e-mail address in lower case. */
export interface Person {
  readonly by: 'customer' | 'source_id' | 'email'
  /** SHA-256, in hexadecimal. */
  readonly digest: string
}

export interface EraseRequest {
  readonly people: readonly Person[]
  readonly after: number
  readonly limit: number
  /** Whether also what is not finished: it reaches nobody then. */
  readonly force: boolean
  /** Whether it is only counted. */
  readonly dryRun: boolean
}

export interface ErasedDelivery {
  readonly id: string
  /** The forwarders that took it, as far as their attempts are kept. */
  readonly forwardedTo: readonly string[]
}

export interface Erased {
  readonly erased: readonly ErasedDelivery[]
  /** What was left, because a forwarder or a person has yet to deal with it. */
  readonly unfinished: ReadonlyArray<{ readonly id: string, readonly why: 'waiting' | 'dead' | 'quarantined' }>
  /** Notes of other deliveries and of replays that named one of the people. */
  readonly mentions: number
  /** The last sequence that was looked at. */
  readonly upTo: number
  readonly done: boolean
}

export interface Scrubbed {
  readonly done: boolean
}
