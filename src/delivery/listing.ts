import type { Verdict } from './delivery.js'
import type { Fault } from '../errors/problem.js'

/**
 * The status of a delivery at a forwarder. `skipped`: its filter passed it over. `discarded`: it was a dead letter, and an operator
 * discarded it. `before-start`: it was there before the forwarder was, and so never was for it.
 */
export const statuses = ['forwarded', 'skipped', 'discarded', 'pending', 'retrying', 'dead', 'quarantined', 'damaged', 'erased', 'before-start'] as const

export type DeliveryStatus = typeof statuses[number]

/** The statuses that can be asked for. */
export const listableStatuses = ['pending', 'retrying', 'dead', 'quarantined', 'forwarded', 'skipped', 'discarded'] as const

export interface DeliveryFilter {
  /** What one of its ids begins with, or its event type, or a word of its event type. */
  readonly text?: string | undefined
  /** Exact, or with `*` for any run of characters. */
  readonly eventType?: string | undefined
  readonly verdict?: Verdict | undefined
  readonly status?: typeof listableStatuses[number] | undefined
  /** Whose status is meant; any forwarder's where it is absent. */
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
  /** The most records to look at, whether the filter lets them through or not; what the engine thinks right where absent. */
  readonly lookAt?: number | undefined
}

export interface Page<T> {
  /** Perhaps none, though there is more. */
  readonly items: readonly T[]
  /** What to give as `before` for what comes after these; `undefined` where that is nothing. */
  readonly next: number | undefined
}

/** Accepted, and never was in quarantine; in quarantine; released from it; set aside because its record is damaged; erased for a person. */
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
  /** One entry a known forwarder, by name. */
  readonly forwarders: readonly ForwarderStatus[]
}

export interface ForwarderStatus {
  readonly forwarder: string
  readonly status: DeliveryStatus
  /** The attempt that is due, where it waits; the attempts made, where it is dead. */
  readonly attempt?: number
  /** Wall-clock time, in milliseconds since the epoch. */
  readonly dueAt?: number
  readonly diedAt?: number
  readonly reason?: string
  /** Whether what waits is a replay. */
  readonly replay?: boolean
}

export type Found =
  | { readonly status: 'found', readonly sequence: number, readonly id: string }
  | { readonly status: 'unknown' }
  /** Some of the ids that begin so. */
  | { readonly status: 'ambiguous', readonly ids: readonly string[] }

export interface DeliveryDetails extends ListedDelivery {
  readonly headers: Readonly<Record<string, string>>
  /** `undefined` where it can't be read. */
  readonly rawBody: Uint8Array | undefined
  /** Whether the record is not the one that was written. */
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
  /** For a page: as for one of deliveries. */
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
  /** Whether a replay of it is under way. */
  readonly replaying: boolean
}
