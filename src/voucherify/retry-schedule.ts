const MINUTE_MS = 60_000

/**
 * The delays of Voucherify's retries after the first attempt, according to its documentation: 1, 2, 4, … 512 minutes, 17 h 4 min and 24 h. After
 * that it disables the webhook, or pauses the distribution's channel, and sends nothing more.
 */
export const retriesAfterMs: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440].map((minutes) => minutes * MINUTE_MS)

/** After this many failed retries the webhook is switched off. */
export const maxRetries = retriesAfterMs.length

/** Returns how long after the first attempt a retry is due, in milliseconds. The first retry is 1. */
export function retryOffsetMs (retry: number): number {
  const offsetMs = retriesAfterMs[retry - 1]
  if (offsetMs === undefined) throw new RangeError(`There is no retry ${retry}: they are 1 to ${maxRetries}`)
  return offsetMs
}
