import { isSuccess } from './answer.js'
import type { Answer } from './answer.js'

/** What came of many webhooks together. */
export interface SendSummary {
  readonly sent: number
  readonly succeeded: number
  /** How many answers had each status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Durations in milliseconds. */
  readonly latencyMs: { readonly p50: number, readonly p99: number, readonly max: number }
  readonly perSecond: number
}

function percentile (sorted: Float64Array, share: number): number {
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0
}

/** Counts answers without keeping them. */
export class SendTally {
  readonly #durations: Float64Array
  readonly #statuses = new Map<string, number>()
  #sent = 0
  #succeeded = 0

  /** `limit` is the most answers that will come. */
  constructor (limit: number) {
    this.#durations = new Float64Array(limit)
  }

  get sent (): number {
    return this.#sent
  }

  add (answer: Answer): void {
    this.#durations[this.#sent] = answer.durationMs
    this.#sent += 1
    if (isSuccess(answer)) this.#succeeded += 1
    const status = String(answer.status)
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
  }

  summarise (elapsedMs: number): SendSummary {
    const sorted = this.#durations.slice(0, this.#sent).sort()
    return {
      sent: this.#sent,
      succeeded: this.#succeeded,
      statuses: Object.fromEntries(this.#statuses),
      latencyMs: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max: percentile(sorted, 1) },
      perSecond: elapsedMs > 0 ? this.#sent / elapsedMs * 1000 : 0
    }
  }
}

/** A summary as lines for a person. */
export function formatSummary (summary: SendSummary): string {
  const statuses = Object.entries(summary.statuses).map(([status, count]) => `${status}: ${count}`).join(', ')
  const { p50, p99, max } = summary.latencyMs
  return [
    `${summary.sent} sent, ${summary.succeeded} accepted (${statuses})`,
    `answered in ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99), ${max.toFixed(1)} ms (max)`,
    `${summary.perSecond.toFixed(0)} a second`
  ].join('\n')
}
