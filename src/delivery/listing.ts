import type { Verdict } from './delivery.js'
import type { Fault } from '../errors/problem.js'

/**
 * The status of a delivery at a forwarder. `skipped`: the forwarder's filter did not let it through. `discarded`: it was a dead letter that an
 * operator discarded. `before-start`: it was stored before the forwarder was added, so the forwarder does not get it.
 */
export const statuses = ['forwarded', 'skipped', 'discarded', 'pending', 'retrying', 'dead', 'quarantined', 'damaged', 'erased', 'before-start'] as const

export type DeliveryStatus = typeof statuses[number]

/** The statuses that a query may ask for. */
export const listableStatuses = ['pending', 'retrying', 'dead', 'quarantined', 'forwarded', 'skipped', 'discarded'] as const

export interface DeliveryFilter {
  /** The beginning of one of its ids, its event type, or one word of its event type. */
  readonly text?: string | undefined
  /** An exact event type, or a pattern in which `*` stands for any run of characters. */
  readonly eventType?: string | undefined
  readonly verdict?: Verdict | undefined
  readonly status?: typeof listableStatuses[number] | undefined
  /** The forwarder whose status is meant. If absent, any forwarder. */
  readonly forwarder?: string | undefined
  readonly customerId?: string | undefined
  readonly campaignId?: string | undefined
  readonly sourceId?: string | undefined
  /** Received at or after this time, in milliseconds since the epoch. */
  readonly since?: number | undefined
  /** Received before this time, in milliseconds since the epoch. */
  readonly until?: number | undefined
}

export interface DeliveryQuery {
  readonly filter: DeliveryFilter
  readonly order: 'newest first' | 'oldest first'
  /** Only deliveries after this sequence. */
  readonly after?: number | undefined
  /** Only deliveries before this sequence. */
  readonly before?: number | undefined
  readonly limit: number
}

export interface PageQuery extends Omit<DeliveryQuery, 'order'> {
  /** The most records to look at, whether they match the filter or not. If absent, the engine decides. */
  readonly lookAt?: number | undefined
}

export interface Page<T> {
  /** May be empty although there is more. */
  readonly items: readonly T[]
  /** The `before` of the next page; `undefined` if this is the last one. */
  readonly next: number | undefined
}

/**
 * `accepted`: stored, and never quarantined. `quarantined`: in quarantine. `released`: let out of quarantine. `damaged`: set aside because its
 * record is damaged. `erased`: erased for a person.
 */
export type DeliveryState = 'accepted' | 'quarantined' | 'released' | 'damaged' | 'erased'

export interface ListedDelivery {
  readonly sequence: number
  readonly id: string
  readonly receivedAt: number
  readonly eventType: string
  readonly verdict: Verdict
  readonly state: DeliveryState
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
  readonly projectId: string | null
  readonly customerId: string | null
  readonly campaignId: string | null
  readonly duplicates: number
  readonly bodyBytes: number
  readonly faults: readonly Fault[]
  /** One entry for each known forwarder, sorted by name. */
  readonly forwarders: readonly ForwarderStatus[]
}

export interface ForwarderStatus {
  readonly forwarder: string
  readonly status: DeliveryStatus
  /** The number of the attempt that is due, if the delivery waits. The number of attempts made, if it is dead. */
  readonly attempt?: number
  /** Wall-clock time, in milliseconds since the epoch. */
  readonly dueAt?: number
  readonly diedAt?: number
  readonly reason?: string
  /** Whether the delivery waits as a replay. */
  readonly replay?: boolean
}

export type Found =
  | { readonly status: 'found', readonly sequence: number, readonly id: string }
  | { readonly status: 'unknown' }
  /** Some of the ids that begin with the text. */
  | { readonly status: 'ambiguous', readonly ids: readonly string[] }

export interface DeliveryDetails extends ListedDelivery {
  readonly headers: Readonly<Record<string, string>>
  /** `undefined` if it cannot be read. */
  readonly rawBody: Uint8Array | undefined
  /** Whether the record differs from what was written. */
  readonly damaged: boolean
  /** Oldest first. */
  readonly attempts: readonly RecordedTry[]
}

export interface RecordedTry {
  readonly forwarder: string
  readonly replay: boolean
  readonly attempt: number
  readonly startedAt: number
  readonly durationMs: number
  readonly outcome: string
  readonly detail: string | null
}

export interface DeadLetterQuery {
  readonly forwarder?: string | undefined
  readonly eventType?: string | undefined
  readonly before?: number | undefined
  readonly limit: number
  /** The most records to look at for a page, as for a page of deliveries. */
  readonly lookAt?: number | undefined
}

export interface DeadLetter {
  readonly forwarder: string
  readonly sequence: number
  readonly id: string
  readonly eventType: string
  readonly customerId: string | null
  readonly receivedAt: number
  readonly diedAt: number
  readonly attempts: number
  readonly reason: string
  /** Whether a replay of the dead letter is under way. */
  readonly replaying: boolean
}
