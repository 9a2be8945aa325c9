import type { DeadLetter, DeadLetterQuery, DeliveryDetails, DeliveryQuery, Found, ListedDelivery, Page, PageQuery } from './listing.js'
import type { DiscardRequest, Discarded, EraseRequest, Erased, KnownForwarder, Prunable, Pruned, ReleaseRequest, Released, ReplayRequest, Replayed, RetentionLimits, Scrubbed, UnfinishedQuery, Verified } from './operator-requests.js'

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
