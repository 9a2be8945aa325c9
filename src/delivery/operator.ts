import type { DeadLetter, DeadLetterQuery, DeliveryDetails, DeliveryQuery, Found, ListedDelivery, Page, PageQuery } from './listing.js'
import type { DiscardRequest, Discarded, EraseRequest, Erased, KnownForwarder, Prunable, Pruned, ReleaseRequest, Released, ReplayRequest, Replayed, RetentionLimits, Scrubbed, UnfinishedQuery, Verified } from './operator-requests.js'

/**
 * What an operator does with a store: look, release, replay, clean up. Works while a service runs and while none runs. Each call is one short
 * transaction, so large jobs make many calls. Each engine implements this interface.
 */
export interface Operator {
  /** Whether a service is using the store now. */
  readonly isServed: () => Promise<boolean>
  /** The sequence of the last delivery; 0 if there has been none. */
  readonly lastSequence: () => Promise<number>
  /** How many deliveries are in quarantine. */
  readonly countQuarantined: () => Promise<number>

  readonly list: (query: DeliveryQuery) => Promise<readonly ListedDelivery[]>
  /** Newest first, one page at a time. The cost of a call is bounded, even if the filter lets few deliveries through. */
  readonly page: (query: PageQuery) => Promise<Page<ListedDelivery>>
  /** Finds a delivery by its id, or by a beginning of its id that is unambiguous. */
  readonly find: (idPrefix: string) => Promise<Found>
  /** `undefined` if the delivery is gone. */
  readonly read: (sequence: number) => Promise<DeliveryDetails | undefined>
  /** Newest first. */
  readonly deadLetters: (query: DeadLetterQuery) => Promise<readonly DeadLetter[]>
  /** Newest first, one page at a time. */
  readonly deadLetterPage: (query: DeadLetterQuery) => Promise<Page<DeadLetter>>

  /** Those of the deliveries that the forwarder has not finished, and so will still be given. */
  readonly unfinished: (query: UnfinishedQuery) => Promise<readonly string[]>

  /** Lets deliveries out of quarantine. Each goes to every known forwarder once. */
  readonly release: (request: ReleaseRequest) => Promise<readonly Released[]>
  readonly replay: (request: ReplayRequest) => Promise<Replayed>
  /** Removes for good: deliveries in quarantine, or dead letters of one forwarder. */
  readonly discard: (request: DiscardRequest) => Promise<readonly Discarded[]>
  /** Stores that an operator has paused or resumed a forwarder, so that it is still so after a restart. */
  readonly keepPaused: (request: { readonly forwarder: string, readonly paused: boolean }) => Promise<void>

  /** Every forwarder that the store knows, sorted by name, without those in `except`. */
  readonly forwarders: (options?: { readonly except?: readonly string[] }) => Promise<readonly KnownForwarder[]>
  /** Drops up to `limit` deliveries that wait for a forwarder. When none is left, removes the forwarder itself. */
  readonly forget: (request: { readonly forwarder: string, readonly limit: number }) => Promise<{ readonly dropped: number, readonly done: boolean }>

  /** Compares records with their checksums, in order. */
  readonly verify: (request: { readonly after: number, readonly limit: number }) => Promise<Verified>
  /** Runs the engine's own check of its files and returns what it reports. May take long. */
  readonly checkFiles: () => Promise<readonly string[]>

  /** Removes some of what retention no longer keeps, after the sequence `after`. `next` is the `after` of the next step, if there is more. */
  readonly prune: (request: RetentionLimits & { readonly after: number, readonly limit: number }) => Promise<Pruned>
  readonly countPrunable: (request: RetentionLimits) => Promise<Prunable>

  /** Looks at some deliveries after the sequence `after`, and makes tombstones of those that name one of the people. */
  readonly erase: (request: EraseRequest) => Promise<Erased>
  /**
   * Does one step of clearing deleted data out of the engine's files. `whole` rewrites the files in one go, and all other work on the store
   * waits meanwhile.
   */
  readonly scrub: (request: { readonly whole: boolean }) => Promise<Scrubbed>

  readonly close: () => Promise<void>
}

export const storeErrorCodes = ['NO_STORE', 'WRONG_STORE', 'STORE_BUSY', 'STORE_READ_ONLY', 'STORE_DAMAGED', 'STORE_UNSURE'] as const

export type StoreErrorCode = typeof storeErrorCodes[number]

/** The store cannot be used, or not in this way. The message says what to do. `STORE_UNSURE`: the change may have been made; the answer to its commit was lost. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor (code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
