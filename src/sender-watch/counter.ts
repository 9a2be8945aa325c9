import type { Logger } from 'pino'
import type { WebhookAnswer } from '../delivery/observation.js'

export interface CounterOptions<Key> {
  readonly logger: Logger
  readonly now: () => number
  /** The number of tries at the last alarm, by key. Counters that count together share one map. */
  readonly told?: Map<Key, number>
  /** Whether this counter gives alarms as soon as they are due; always if absent. */
  readonly tells?: () => boolean
  /** Whether this counter counts everything, and not only one replica's share; always if absent. */
  readonly isWhole?: () => boolean
}

/** Counts refused webhooks and gives alarms. */
export interface Counter<Kept> {
  readonly answered: (answer: WebhookAnswer) => void
  /** Returns the counts to keep for the next run. */
  readonly keep: () => Kept
  /** Adds counts from an earlier run or another replica. */
  readonly restore: (earlier: Kept) => void
  /** Called regularly with the counts of all other replicas. */
  readonly heard: (others: readonly Kept[]) => void
  /** Gives the alarms that are due, each once. */
  readonly check: () => void
}
