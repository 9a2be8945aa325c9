import { createHistogram } from 'node:perf_hooks'

/** About 71 minutes, in microseconds. Longer durations count as this long, except in the maximum. */
const LARGEST = 2 ** 32 - 1

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Counts durations in microseconds, to three significant figures. Its memory does not grow with their number. */
export class Histogram {
  readonly #micros = createHistogram({ lowest: 1, highest: LARGEST, figures: 3 })
  #maxMs = 0

  get maxMs (): number {
    return this.#maxMs
  }

  add (ms: number): void {
    this.#micros.record(Math.min(Math.max(Math.round(ms * 1000), 1), LARGEST))
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** Returns the duration, in milliseconds, that this share (0 to 1) of all did not exceed; 0 if there are none. */
  percentile (share: number): number {
    return this.#micros.count === 0 ? 0 : Math.min(this.#micros.percentile(share * 100) / 1000, this.#maxMs)
  }

  percentiles (): Percentiles {
    return { p50: this.percentile(0.5), p90: this.percentile(0.9), p99: this.percentile(0.99), p999: this.percentile(0.999), max: this.#maxMs }
  }
}
