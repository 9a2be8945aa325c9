import type { Logger } from 'pino'
import type { WebhookAnswer } from '../delivery/observation.js'

export interface CounterOptions<Key> {
  readonly logger: Logger
  readonly now: () => number
  /** The tries at which the last alarm was given, for each key. Counters that count together have one. */
  readonly told?: Map<Key, number>
  /** Whether alarms are given as soon as they are due; always where absent. */
  readonly tells?: () => boolean
  /** Whether what is counted here is all that there is; always where absent. */
  readonly isWhole?: () => boolean
}

/** Counts refused webhooks, and gives alarms. */
export interface Counter<Kept> {
  readonly answered: (answer: WebhookAnswer) => void
  /** What is kept from one run to the next. */
  readonly keep: () => Kept
  /** Adds what was counted before, or elsewhere. */
  readonly restore: (earlier: Kept) => void
  /** Told again and again what other replicas have counted. */
  readonly heard: (others: readonly Kept[]) => void
  /** Gives the alarms that are due, each once. */
  readonly check: () => void
}
