export interface RetryPolicy {
  readonly minMs: number
  readonly maxMs: number
  /** How long a delivery is retried before it is given up. */
  readonly giveUpMs: number
}

/**
 * How long to wait after an attempt that failed: exponential backoff with full jitter, so that deliveries that failed
 * together do not come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param attempt the number of the attempt that failed, from 1
 * @param random from 0 to 1
 * @returns milliseconds from `minMs` / 2 to `maxMs`
 */
export function backoffMs (attempt: number, { minMs, maxMs }: RetryPolicy, random: number): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 40))
  // Full jitter from zero would now and then try again at once; half of the least wait is kept.
  return Math.max(minMs / 2, random * ceiling)
}
