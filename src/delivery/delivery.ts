import type { Fault } from '../errors/problem.js'

/** The result of validating an event. `unvalidated` means that no schema is known for it. */
export type Verdict = 'valid' | 'invalid' | 'unvalidated'

/** An accepted event that is not in the journal yet. */
export interface NewDelivery {
  /** tierhook's own id, a UUID version 7 (RFC 9562). Ids sort by the time of arrival. */
  readonly id: string
  /** Wall-clock time of arrival, in milliseconds since the epoch. */
  readonly receivedAt: number
  readonly eventType: string
  readonly verdict: Verdict
  /** Why the verdict is `invalid`, or why a delivery with another verdict is quarantined; empty otherwise. */
  readonly faults: readonly Fault[]
  /** Whether the delivery goes into quarantine instead of to the forwarders. */
  readonly quarantined: boolean
  /** Two deliveries with the same key are the same event. `null` if the event cannot be identified: it is then never a duplicate. */
  readonly dedupeKey: string | null
  /**
   * For how long the first delivery with this key makes later ones duplicates, in milliseconds. If absent, for the deduplication window, and for
   * as long as the first delivery is stored.
   */
  readonly dedupeWithinMs?: number | undefined
  /** `webhook` or `distribution`; `null` if the envelope does not say. */
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
  readonly projectId: string | null
  readonly customerId: string | null
  readonly campaignId: string | null
  /** The request headers that are needed later, by lower-case name. Never a secret. */
  readonly headers: Readonly<Record<string, string>>
  /** The body's bytes as they were received. */
  readonly rawBody: Uint8Array
}

/**
 * The fault of a delivery that is quarantined because its event is older than the deduplication window. It is added to the faults, and the
 * verdict stays as it is.
 */
export const TOO_OLD = 'is longer ago than DEDUPE_WINDOW_DAYS, so a duplicate would not be recognised; release it with --force if the event is new'

/** A delivery as the journal holds it. */
export interface Delivery extends NewDelivery {
  /** The delivery's number in the journal's order, from 1. Later deliveries have greater numbers; there may be gaps. */
  readonly sequence: number
  /** How many copies of the event were answered as duplicates. */
  readonly duplicates: number
}
