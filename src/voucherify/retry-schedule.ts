const MINUTE_MS = 60_000

/**
 * When Voucherify tries again, after the first attempt, by its documentation: 1, 2, 4, … 512 minutes, 17 h 4 min and 24 h. Then it disables the
 * webhook, or pauses the distribution's channel, and sends nothing more.
 */
export const retriesAfterMs: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440].map((minutes) => minutes * MINUTE_MS)

/** After so many retries that failed the webhook is switched off. */
export const mostRetries = retriesAfterMs.length

/** How long after the first attempt a retry is due, in milliseconds; the first retry is 1. */
export function retryOffsetMs (retry: number): number {
  const offsetMs = retriesAfterMs[retry - 1]
  if (offsetMs === undefined) throw new RangeError(`There is no retry ${retry}: they are 1 to ${mostRetries}`)
  return offsetMs
}
