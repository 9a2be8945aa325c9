export interface InFlightCommits {
  /** The number of calls of the forwarder whose settlements are not on disk yet. */
  readonly count: () => number
  /** Whether all settlements so far are on disk. */
  readonly allKept: () => boolean
  /** Counts calls until the promise of their settlements ends. Settlements that are written together share one promise. */
  readonly add: (kept: Promise<void>, calls: number) => void
}

/** @param onKept called when some settlements are on disk, or will never be */
export function createInFlightCommits ({ onKept, onError }: { readonly onKept: () => void, readonly onError: (error: unknown) => void }): InFlightCommits {
  const callsOf = new Map<Promise<void>, number>()
  let count = 0
  let failed = false
  return {
    count: () => count,
    allKept: () => count === 0 && !failed,
    add (kept, calls) {
      count += calls
      const others = callsOf.get(kept)
      callsOf.set(kept, (others ?? 0) + calls)
      if (others !== undefined) return
      kept.catch((error: unknown) => {
        failed = true
        onError(error)
      }).finally(() => {
        count -= callsOf.get(kept) ?? 0
        callsOf.delete(kept)
        onKept()
      })
    }
  }
}
