import type { Delivery } from '../delivery/delivery.js'
import type { FeedOptions } from '../delivery/journal.js'
import type { FeedStore, Progress, ReadDeliveries } from './engine.js'
import type { FeedLimits } from './limits.js'
import type { Marks } from './marks.js'
import type { Schedule } from './schedule.js'

export interface FeedWindowOptions {
  readonly order: FeedOptions['order']
  readonly progress: Pick<Progress, 'cursor' | 'settled'>
  readonly store: Pick<FeedStore, 'readAfter'>
  readonly schedule: Schedule
  readonly marks: Marks
  readonly limits: FeedLimits
  /** Called when something has changed that nobody's attempt brings to the disk. */
  readonly onChange: () => void
}

/** The part of the journal that a forwarder has before it: read on while what is at hand is forwarded. */
export interface FeedWindow {
  /**
   * Begins to read what will be wanted next. New deliveries and marks are read beside each other, so that what has just arrived stands
   * behind no more of what waits than is in memory at once.
   */
  readonly readAhead: () => void
  /** What is being read: it ends when some of it has been. `undefined`: nothing is. */
  readonly reading: () => Promise<void> | undefined
  /** Whether there is more to read, and room for it. */
  readonly wantsMore: () => boolean
  /** Tells that there is more to read. */
  readonly wake: () => void
  /** Throws what reading failed for, once: then it is tried again. */
  readonly throwFailure: () => void
}

export function createFeedWindow ({ order, progress, store, schedule, marks, limits, onChange }: FeedWindowOptions): FeedWindow {
  const entries = limits.windowEntries[order]
  let readUpTo = progress.cursor
  let mayHaveMore = true
  let readingMore: Promise<void> | undefined
  let readingMarks: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  function wantsMore (): boolean {
    const { unmarked, unmarkedBytes } = schedule.size()
    return mayHaveMore && unmarked <= entries / 2 && unmarkedBytes <= limits.windowBytes / 2 && marks.admits()
  }

  function failed (error: unknown): void {
    mayHaveMore = true
    failure ??= { error }
  }

  /** An engine that reads at once fails at once. */
  function readMoreNow (): Promise<void> | undefined {
    try {
      return readMore()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Returns nothing where it is done already. */
  function readMore (): Promise<void> | undefined {
    const { unmarked, unmarkedBytes } = schedule.size()
    mayHaveMore = false
    const found = store.readAfter(readUpTo, entries - unmarked, limits.windowBytes - unmarkedBytes)
    return found instanceof Promise ? found.then(admit) : admit(found)
  }

  function admit (read: ReadDeliveries): Promise<void> | undefined {
    // After the first pages there are none.
    const deliveries = readUpTo < (progress.settled.at(-1) ?? 0) ? read.deliveries.filter(({ sequence }) => !isAmong(progress.settled, sequence)) : read.deliveries
    return marks.admit(deliveries, () => {
      offer(read, deliveries)
      // What is left out moves the cursor, and no attempt brings that to the disk.
      if (deliveries.length < read.deliveries.length) onChange()
    })
  }

  function offer ({ upTo, isAll }: ReadDeliveries, deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) schedule.offer(delivery)
    schedule.pass(upTo)
    mayHaveMore ||= upTo > readUpTo && isAll !== true
    readUpTo = upTo
    // What stands behind marks has one of its own now, which nobody's attempt brings to the disk.
    if (schedule.hasChanges()) onChange()
  }

  return {
    readAhead () {
      // It is told to the claim that finds nothing else, and then it is tried again.
      if (failure !== undefined) return
      if (readingMarks === undefined) readingMarks = marks.read()?.catch(failed).finally(() => { readingMarks = undefined })
      while (readingMore === undefined && wantsMore()) {
        const found = readMoreNow()
        if (found === undefined) continue
        readingMore = found.catch(failed).finally(() => { readingMore = undefined })
      }
    },

    reading () {
      const under = [readingMore, readingMarks].filter((reading) => reading !== undefined)
      return under.length === 0 ? undefined : Promise.race(under)
    },

    wantsMore,
    wake () { mayHaveMore = true },

    throwFailure () {
      if (failure === undefined) return
      const { error } = failure
      failure = undefined
      throw error
    }
  }
}

/** Whether a number is among others, which ascend. */
function isAmong (numbers: Float64Array, number: number): boolean {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? Infinity) < number) low = middle + 1
    else high = middle
  }
  return numbers[low] === number
}
