import type { Fault } from '../errors/problem.js'

/** What validation said of an event: `unvalidated` means that no schema is known for it. */
export type Verdict = 'valid' | 'invalid' | 'unvalidated'

/** An accepted event on its way into the journal. */
export interface NewDelivery {
  /** Our own id, a UUID version 7 (RFC 9562): it sorts by the time of arrival. */
  readonly id: string
  /** Wall-clock time of arrival, in milliseconds since the epoch. */
  readonly receivedAt: number
  readonly eventType: string
  readonly verdict: Verdict
  /** Why the verdict is `invalid`, or why it is quarantined with another one; empty otherwise. */
  readonly faults: readonly Fault[]
  /** Whether it goes into quarantine instead of to the forwarders. */
  readonly quarantined: boolean
  /** Two deliveries with the same key are the same event. `null`: it can't be told, so it is never a duplicate. */
  readonly dedupeKey: string | null
  /** How long the first with this key makes it a duplicate, in milliseconds; as long as the journal knows keys where absent. */
  readonly dedupeWithinMs?: number | undefined
  /** `webhook` or `distribution`, where the envelope says. */
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
  readonly projectId: string | null
  readonly customerId: string | null
  readonly campaignId: string | null
  /** The request headers that matter later, by lower-case name. Never a secret. */
  readonly headers: Readonly<Record<string, string>>
  /** The body's bytes as received. */
  readonly rawBody: Uint8Array
}

/** What is wrong with an event that is quarantined because it is longer ago than copies are told: a fault that stands beside its verdict. */
export const TOO_OLD = 'is longer ago than DEDUPE_WINDOW_DAYS, so nothing can tell whether this event has been here before; release it by force if it has not'

/** A delivery as the journal holds it. */
export interface Delivery extends NewDelivery {
  /** Its place in the journal's order, from 1. Later is greater; there may be gaps. */
  readonly sequence: number
  /** How many copies of it have been answered as duplicates. */
  readonly duplicates: number
}
