export interface RetryPolicy {
  readonly minMs: number
  readonly maxMs: number
  /** How long a delivery is retried before the forwarder gives it up. */
  readonly giveUpMs: number
}

/**
 * Computes how long to wait after a failed attempt: exponential backoff with full jitter, so that deliveries that failed together are not
 * retried together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param attempt the number of the attempt that failed, from 1
 * @param random from 0 to 1
 * @returns milliseconds from `minMs` / 2 to `maxMs`
 */
export function backoffMs (attempt: number, { minMs, maxMs }: RetryPolicy, random: number): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 40))
  // Full jitter from zero would sometimes retry at once, so the wait is at least half of `minMs`.
  return Math.max(minMs / 2, random * ceiling)
}
