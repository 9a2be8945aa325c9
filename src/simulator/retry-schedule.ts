const MINUTE_MS = 60_000

/** When Voucherify tries again, in minutes after the first attempt, by its documentation: from 1 min to 17 h 4 and 24 h. */
const retryMinutes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440] as const

/** After so many retries that failed the webhook is switched off. */
export const mostRetries = retryMinutes.length

/** How long after the first attempt a retry is due, in milliseconds; the first retry is 1. */
export function retryOffsetMs (retry: number): number {
  const minutes = retryMinutes[retry - 1]
  if (minutes === undefined) throw new RangeError(`There is no retry ${retry}: they are 1 to ${mostRetries}`)
  return minutes * MINUTE_MS
}
