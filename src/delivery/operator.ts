import type { BreakerState } from './circuit-breaker.js'
import type { Verdict } from './delivery.js'
import type { Fault } from '../errors/problem.js'

/**
 * What people do with a store of deliveries: look, release, replay, clean up. It works beside a running service and
 * without one; each call is one short transaction, so whoever does much calls often. Engines differ, this does not.
 */
export interface Operator {
  /** Whether a service uses the store now. */
  readonly isServed: () => Promise<boolean>
  /** The last delivery's place in the order; 0 where there has been none. */
  readonly lastSequence: () => Promise<number>
  /** How many deliveries are in quarantine. */
  readonly countQuarantined: () => Promise<number>

  readonly list: (query: DeliveryQuery) => Promise<readonly ListedDelivery[]>
  /** Newest first, a part at a time: however little of it the filter lets through, a call costs little. */
  readonly page: (query: PageQuery) => Promise<Page<ListedDelivery>>
  /** Finds a delivery by its id, or by as much of its beginning as is unambiguous. */
  readonly find: (idPrefix: string) => Promise<Found>
  /** `undefined` where it is gone. */
  readonly read: (sequence: number) => Promise<DeliveryDetails | undefined>
  /** Newest first. */
  readonly deadLetters: (query: DeadLetterQuery) => Promise<readonly DeadLetter[]>
  /** The same, a part at a time. */
  readonly deadLetterPage: (query: DeadLetterQuery) => Promise<Page<DeadLetter>>

  /** Those of the deliveries that a forwarder has yet to finish, and so is still handed. */
  readonly unfinished: (query: UnfinishedQuery) => Promise<readonly string[]>

  /** Lets deliveries out of quarantine, each to every known forwarder once. */
  readonly release: (request: ReleaseRequest) => Promise<readonly Released[]>
  readonly replay: (request: ReplayRequest) => Promise<Replayed>
  /** Removes deliveries from quarantine, or dead letters of one forwarder, for good. */
  readonly discard: (request: DiscardRequest) => Promise<readonly Discarded[]>
  /** Keeps that an operator has paused a forwarder, or has resumed it, for the next start. */
  readonly keepPaused: (request: { readonly forwarder: string, readonly paused: boolean }) => Promise<void>

  /** Every forwarder that the store knows, by name; but for those named in `except`. */
  readonly forwarders: (options?: { readonly except?: readonly string[] }) => Promise<readonly KnownForwarder[]>
  /** Drops up to `limit` of what waits for a forwarder, and at last the forwarder itself. */
  readonly forget: (request: { readonly forwarder: string, readonly limit: number }) => Promise<{ readonly dropped: number, readonly done: boolean }>

  /** Checks records against their checksums, in order. */
  readonly verify: (request: { readonly after: number, readonly limit: number }) => Promise<Verified>
  /** The engine's own check of its files: what it complains of. It may take long. */
  readonly checkFiles: () => Promise<readonly string[]>

  /** Removes some of what the retention no longer keeps, from after a sequence on; `next` is where to go on, if there is more. */
  readonly prune: (request: RetentionLimits & { readonly after: number, readonly limit: number }) => Promise<Pruned>
  readonly countPrunable: (request: RetentionLimits) => Promise<Prunable>

  /** Looks at some deliveries from after a sequence on, and makes tombstones of those that name one of the people. */
  readonly erase: (request: EraseRequest) => Promise<Erased>
  /** A step towards the end of what was deleted, where the engine's files still hold it; `whole` writes all anew, while everybody waits. */
  readonly scrub: (request: { readonly whole: boolean }) => Promise<Scrubbed>

  readonly close: () => Promise<void>
}

export const storeErrorCodes = ['NO_STORE', 'WRONG_STORE', 'STORE_BUSY', 'STORE_READ_ONLY', 'STORE_DAMAGED'] as const

export type StoreErrorCode = typeof storeErrorCodes[number]

/** The store can't be used, or not like this. The message tells what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor (code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

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
