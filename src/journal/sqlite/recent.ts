import type { Delivery } from '../../delivery/delivery.js'

/** The deliveries kept in memory, at most: in number, and in bytes of bodies. */
const LIMIT_DELIVERIES = 2048
const LIMIT_BYTES = 8 * 1024 * 1024

/** The newest deliveries, so that a forwarder that keeps up never waits for what was just written to be read back. */
export interface Recent {
  readonly add: (delivery: Delivery) => void
  /** Lets go of what every reader has: what stays long is copied by every collection of garbage, and a forwarder that keeps up needs nothing twice. */
  readonly release: (upTo: number) => void
  /** The deliveries after a sequence, where all that there are after it are at hand; `undefined` where they are not. */
  readonly after: (sequence: number, visible: number, limit: number) => { readonly deliveries: readonly Delivery[], readonly upTo: number } | undefined
}

/** @param floor the journal's last sequence: what is up to it is not at hand */
export function createRecent (floor: number): Recent {
  const kept: Delivery[] = []
  let bytes = 0

  function trim (): void {
    if (kept.length <= LIMIT_DELIVERIES && bytes <= LIMIT_BYTES) return
    // Half goes at once, so that it is not done for each delivery.
    drop(Math.ceil(kept.length / 2))
  }

  function drop (count: number): void {
    const gone = kept.splice(0, count)
    for (const delivery of gone) bytes -= delivery.rawBody.byteLength
    floor = gone.at(-1)?.sequence ?? floor
  }

  function firstAfter (sequence: number): number {
    let low = 0
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((kept[middle]?.sequence ?? Infinity) > sequence) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    add (delivery) {
      kept.push(delivery)
      bytes += delivery.rawBody.byteLength
      trim()
    },

    release (upTo) {
      if ((kept[0]?.sequence ?? Infinity) <= upTo) drop(firstAfter(upTo))
    },

    after (sequence, visible, limit) {
      if (sequence < floor) return undefined
      const start = firstAfter(sequence)
      const end = Math.min(firstAfter(visible), start + limit)
      const taken = kept.slice(start, end)
      const complete = end === firstAfter(visible)
      return { deliveries: taken.filter((delivery) => !delivery.held), upTo: complete ? Math.max(visible, sequence) : taken.at(-1)?.sequence ?? sequence }
    }
  }
}
