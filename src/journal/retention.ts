/** The share of the store's size limit that is for quarantined deliveries. */
export const QUARANTINE_SHARE = 0.25
/** Estimated bytes of a delivery besides its body: its record, and its part of the indexes. */
export const RECORD_BYTES = 1024

/** A delivery as retention sees it. */
export interface AgedRow {
  readonly sequence: number
  /** Unix time in milliseconds. */
  readonly receivedAt: number
}

/** Whether the last row's time is later than now. Then the age of the rows also depends on a delivery after them. */
export function endsInFuture (rows: readonly AgedRow[], now: number): boolean {
  const last = rows.at(-1)
  return last !== undefined && last.receivedAt > now
}

export interface OlderThanOptions {
  readonly receivedBefore: number
  readonly now: number
  /** The time of the first delivery after the rows whose time is not later than now; `undefined` if there is none. */
  readonly following: number | undefined
}

/**
 * Returns the rows that are old enough, in their order. A time later than now comes from a wrong clock: such a row is as old as the next
 * delivery with a possible time.
 * @param rows in the order of their sequences
 */
export function olderThan<T extends AgedRow> (rows: readonly T[], { receivedBefore, now, following = Infinity }: OlderThanOptions): readonly T[] {
  let youngest = following
  return rows.toReversed().filter(({ receivedAt }) => {
    if (receivedAt <= now) youngest = receivedAt
    return Math.min(youngest, receivedAt) < receivedBefore
  }).reverse()
}
