/** Each class of durations is longer than the previous one by this factor. So a reported duration is right to an eighth. */
const GROWTH = 1.25
/** The class of an hour and more. */
const LAST_CLASS = 68

/** Counts a duration, in milliseconds, in its class. */
export function countDuration (classes: Record<string, number>, ms: number): void {
  const index = ms <= 1 ? 0 : Math.min(LAST_CLASS, Math.ceil(Math.log(ms) / Math.log(GROWTH)))
  classes[index] = (classes[index] ?? 0) + 1
}

/** Returns the duration, in milliseconds, that a share (0 to 1) of the counted ones did not exceed; `null` if there are none. */
export function percentile (classes: ReadonlyArray<Readonly<Record<string, number>>>, share: number): number | null {
  const sums = new Map<number, number>()
  for (const each of classes) for (const [index, count] of Object.entries(each)) sums.set(Number(index), (sums.get(Number(index)) ?? 0) + count)
  const total = [...sums.values()].reduce((sum, count) => sum + count, 0)
  let left = total * share
  for (const [index, count] of [...sums].sort(([a], [b]) => a - b)) {
    left -= count
    if (left <= 0) return Math.round(10 * GROWTH ** (index - 0.5)) / 10
  }
  return null
}
