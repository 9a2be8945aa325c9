/** Each power of two is cut into so many buckets: what is read from the histogram is wrong by less than one part in it. */
const BUCKETS = 128
const BUCKET_BITS = 7
/** Some 71 minutes, in microseconds; what takes longer counts as this long, but for the maximum. */
const LARGEST = 2 ** 32 - 1

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Counts durations in buckets that grow with them, so that millions take no more memory than one. */
export class Histogram {
  readonly #counts = new Float64Array((32 - BUCKET_BITS + 1) * BUCKETS)
  #count = 0
  #maxMs = 0

  get count (): number {
    return this.#count
  }

  get maxMs (): number {
    return this.#maxMs
  }

  add (ms: number): void {
    const bucket = bucketOf(Math.min(Math.max(Math.round(ms * 1000), 0), LARGEST))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** The duration, in milliseconds, that this share of all did not exceed; 0 where there is none. */
  percentile (share: number): number {
    const wanted = Math.max(Math.ceil(this.#count * share), 1)
    let seen = 0
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count
      if (seen >= wanted) return Math.min(upperEnd(bucket) / 1000, this.#maxMs)
    }
    return this.#maxMs
  }

  percentiles (): Percentiles {
    return { p50: this.percentile(0.5), p90: this.percentile(0.9), p99: this.percentile(0.99), p999: this.percentile(0.999), max: this.#maxMs }
  }
}

function bucketOf (value: number): number {
  if (value < BUCKETS) return value
  const shift = 31 - Math.clz32(value) - BUCKET_BITS
  return shift * BUCKETS + (value >>> shift)
}

/** The largest value in a bucket. */
function upperEnd (bucket: number): number {
  if (bucket < 2 * BUCKETS) return bucket
  const shift = Math.floor(bucket / BUCKETS) - 1
  return (bucket - shift * BUCKETS + 1) * 2 ** shift - 1
}
