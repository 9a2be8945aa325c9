/** Counts how often each delivery has been refused, as long as it is under way. */
export interface Refusals {
  /** Counts one more, and tells how many there are now. */
  readonly add: (deliveryId: string) => number
  readonly forget: (deliveryId: string) => void
}

/**
 * In memory alone: after a restart a delivery has all its tries again.
 * @param limit how many deliveries are remembered; of more, the one that was refused first is forgotten
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
