import type { Fault, ProblemCode } from '../errors/problem.js'
import type { Verdict } from './delivery.js'
import type { Outcome } from './forwarder.js'

/** Callbacks for code that counts what happens. They are called in the middle of the work, so they must be quick and must not throw. */
export interface Observer {
  readonly webhookAnswered?: (answer: WebhookAnswer) => void
  readonly attemptsEnded?: (attempts: EndedAttempts) => void
  readonly committed?: (commit: EndedCommit) => void
  /** Called with the number of quarantined deliveries evicted because the quarantine's share of the store was full. */
  readonly quarantineEvicted?: (count: number) => void
}

/** A webhook with its answer. */
export type WebhookAnswer = AcceptedWebhook | RefusedWebhook

export interface AcceptedWebhook {
  readonly outcome: 'accepted' | 'duplicate'
  readonly status: 200 | 202
  /** Milliseconds since the request arrived. */
  readonly ms: number
  readonly deliveryId: string
  readonly eventType: string
  readonly verdict: Verdict
  /** Whether the delivery went into quarantine. */
  readonly quarantined: boolean
  /** Whether it is quarantined because the event is older than the deduplication window. */
  readonly late: boolean
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
  /** Why the verdict is `invalid`; empty otherwise. */
  readonly faults: readonly Fault[]
  /** The number of the secret that matched, from 1; `undefined` if no secret is configured. */
  readonly secretNumber: number | undefined
  readonly sourceAddress: string | undefined
  /** The parsed body; `undefined` if it could not be parsed. Callbacks may read it but must not keep it. */
  readonly body: unknown
}

export interface RefusedWebhook {
  readonly outcome: 'refused'
  readonly status: number
  readonly ms: number
  readonly code: ProblemCode
  /** Whether the request came to one of the webhook URLs. Bytes that are not HTTP have no URL, so this is false. */
  readonly toWebhook: boolean
  readonly sourceAddress: string | undefined
  /** The event's ids, if the signature was right. A body without a right signature is never parsed. */
  readonly proven: ProvenEvent | undefined
}

/** The ids in a signed envelope; `null` if the envelope does not have one, or there is no envelope. */
export interface ProvenEvent {
  readonly sourceId: string | null
  readonly eventId: string | null
}

/** The attempts of one call of a forwarder. */
export interface EndedAttempts {
  readonly forwarder: string
  readonly durationMs: number
  /** How many attempts had each outcome. */
  readonly counts: Readonly<Record<Outcome['status'], number>>
  /** The outcome of the last attempt. */
  readonly last: { readonly status: Outcome['status'], readonly reason?: string }
}

/** A commit of the journal, with or without new deliveries. */
export interface EndedCommit {
  readonly deliveries: number
  readonly ms: number
  readonly error?: unknown
  /** Why the progress of forwarders was not stored in this commit. It is stored later. */
  readonly progressError?: unknown
}

/** Makes one observer that calls all of these. */
export function combineObservers (observers: readonly Observer[]): Required<Observer> {
  return {
    webhookAnswered: (answer) => { for (const each of observers) each.webhookAnswered?.(answer) },
    attemptsEnded: (attempts) => { for (const each of observers) each.attemptsEnded?.(attempts) },
    committed: (commit) => { for (const each of observers) each.committed?.(commit) },
    quarantineEvicted: (count) => { for (const each of observers) each.quarantineEvicted?.(count) }
  }
}
