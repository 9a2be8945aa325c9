/** Counts how often each unfinished delivery was refused. */
export interface Refusals {
  /** Counts one more refusal. Returns the new count. */
  readonly add: (deliveryId: string) => number
  readonly forget: (deliveryId: string) => void
}

/**
 * Counts in memory only: after a restart, each delivery begins at 0 again.
 * @param limit how many deliveries are counted; above it, the count of the delivery that was refused first is dropped
 */
export function createRefusals (limit: number): Refusals {
  const counts = new Map<string, number>()
  return {
    add (deliveryId) {
      const count = (counts.get(deliveryId) ?? 0) + 1
      counts.set(deliveryId, count)
      const [oldest] = counts.keys()
      if (counts.size > limit && oldest !== undefined) counts.delete(oldest)
      return count
    },
    forget (deliveryId) { counts.delete(deliveryId) }
  }
}
