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
  /** Called when there are changes that no attempt's settlement will write to disk. */
  readonly onChange: () => void
}

/** The part of the journal that a feed holds in memory. It reads ahead while the forwarder works on what is there. */
export interface FeedWindow {
  /**
   * Begins the next reads. New deliveries and marks are read in parallel, so a new delivery waits for at most the marks that are in
   * memory.
   */
  readonly readAhead: () => void
  /** Resolves when one of the reads in progress has ended; `undefined` if none is. */
  readonly reading: () => Promise<void> | undefined
  /** Whether there may be more deliveries to read, and there is room for them. */
  readonly wantsMore: () => boolean
  /** Tells the window that there may be more deliveries to read. */
  readonly wake: () => void
  /** Throws the error of a failed read, once. After that, reads are tried again. */
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

  /** Reads more. Turns an error that a synchronous engine throws into a rejection. */
  function readMoreNow (): Promise<void> | undefined {
    try {
      return readMore()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Returns `undefined` if the read is already complete. */
  function readMore (): Promise<void> | undefined {
    const { unmarked, unmarkedBytes } = schedule.size()
    mayHaveMore = false
    const found = store.readAfter(readUpTo, entries - unmarked, limits.windowBytes - unmarkedBytes)
    return found instanceof Promise ? found.then(admit) : admit(found)
  }

  function admit (read: ReadDeliveries): Promise<void> | undefined {
    // Only the first pages can contain sequences that were settled before a crash.
    const deliveries = readUpTo < (progress.settled.at(-1) ?? 0) ? read.deliveries.filter(({ sequence }) => !isAmong(progress.settled, sequence)) : read.deliveries
    return marks.admit(deliveries, () => {
      offer(read, deliveries)
      // The deliveries left out move the cursor. No attempt will write that to disk.
      if (deliveries.length < read.deliveries.length) onChange()
    })
  }

  function offer ({ upTo, isAll }: ReadDeliveries, deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) schedule.offer(delivery)
    schedule.pass(upTo)
    mayHaveMore ||= upTo > readUpTo && isAll !== true
    readUpTo = upTo
    // Deliveries queued behind marks got marks too. No attempt will write those to disk.
    if (schedule.hasChanges()) onChange()
  }

  return {
    readAhead () {
      // The failure is thrown to the claim that finds nothing else. Reads begin again after that.
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

/** Binary search: whether an ascending list contains a number. */
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
