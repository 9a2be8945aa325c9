import type { Fault, ProblemCode } from '../errors/problem.js'
import type { Verdict } from './delivery.js'
import type { Outcome } from './forwarder.js'

/**
 * What happens, told as it happens to those who count it. Listeners are called in the middle of the work: they must be quick
 * and must not throw.
 */
export interface Observer {
  readonly webhookAnswered?: (answer: WebhookAnswer) => void
  readonly attemptsEnded?: (attempts: EndedAttempts) => void
  readonly committed?: (commit: EndedCommit) => void
  /** Deliveries that went out of quarantine because its share of the store was full. */
  readonly quarantineEvicted?: (count: number) => void
}

/** A webhook with its answer. */
export type WebhookAnswer = AcceptedWebhook | RefusedWebhook

export interface AcceptedWebhook {
  readonly outcome: 'accepted' | 'duplicate'
  readonly status: 200 | 202
  /** From the request's arrival, in milliseconds. */
  readonly ms: number
  readonly deliveryId: string
  readonly eventType: string
  readonly verdict: Verdict
  /** Whether it went into quarantine. */
  readonly quarantined: boolean
  /** Whether it is quarantined because it is too old to be new. */
  readonly late: boolean
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
  /** Why the verdict is `invalid`; empty otherwise. */
  readonly faults: readonly Fault[]
  /** From 1; `undefined` where no secret is configured. */
  readonly secretNumber: number | undefined
  readonly sourceAddress: string | undefined
  /** The parsed body; `undefined` where it could not be parsed. To be looked at, and not to be kept. */
  readonly body: unknown
}

export interface RefusedWebhook {
  readonly outcome: 'refused'
  readonly status: number
  readonly ms: number
  readonly code: ProblemCode
  /** Whether it came to one of the webhooks' URLs; what is not HTTP comes to none. */
  readonly toWebhook: boolean
  readonly sourceAddress: string | undefined
  /** Whose event it is, where its signature was right. Of any other body nothing is ever parsed. */
  readonly proven: ProvenEvent | undefined
}

/** What a signed envelope says; `null` where it does not say, or there is none. */
export interface ProvenEvent {
  readonly sourceId: string | null
  readonly eventId: string | null
}

/** The attempts of one call of a forwarder. */
export interface EndedAttempts {
  readonly forwarder: string
  readonly durationMs: number
  /** How many attempts ended in each way. */
  readonly counts: Readonly<Record<Outcome['status'], number>>
  /** The last of them. */
  readonly last: { readonly status: Outcome['status'], readonly reason?: string }
}

/** A commit of the journal, with or without new deliveries. */
export interface EndedCommit {
  readonly deliveries: number
  readonly ms: number
  readonly error?: unknown
  /** Why the progress of forwarders was left out; it is tried again. */
  readonly progressError?: unknown
}

/** An observer that tells all of these. */
export function tellAll (observers: readonly Observer[]): Required<Observer> {
  return {
    webhookAnswered: (answer) => { for (const each of observers) each.webhookAnswered?.(answer) },
    attemptsEnded: (attempts) => { for (const each of observers) each.attemptsEnded?.(attempts) },
    committed: (commit) => { for (const each of observers) each.committed?.(commit) },
    quarantineEvicted: (count) => { for (const each of observers) each.quarantineEvicted?.(count) }
  }
}
