import type { Logger } from 'pino'
import type { Clock } from '../../delivery/clock.js'
import type { FeedStore, ReadDeliveries, WaitingMark } from '../feed-store.js'
import { unpackDeliveries } from './packed-deliveries.js'
import type { ReadAfter, ReadResult } from './reader.js'
import type { Recent } from './recent.js'
import type { StoreThreads } from './store-threads.js'

export interface StoreReadsOptions {
  readonly threads: StoreThreads
  readonly logger: Logger
  readonly clock: Clock
  readonly recent: () => Recent
  /** Up to which sequence deliveries may be read. */
  readonly visible: () => number
}

/** A clock that was set back by more than this was set, and does not just go slow, in milliseconds. */
const CLOCK_STEP_MS = 500

/** What feeds read: what was just stored out of memory, all else from the disk. */
export interface StoreReads extends Pick<FeedStore, 'readAfter' | 'readMany' | 'readDue' | 'readLanes' | 'readMarks'> {
  /** Whether replays of what may yet be withdrawn were asked for, and held back, since this was last asked. */
  readonly takeHeldBack: () => boolean
}

export function createStoreReads ({ threads, logger, clock, recent, visible }: StoreReadsOptions): StoreReads {
  const { watched } = threads
  let heldBack = false
  let clockOffset = clock.now() - clock.monotonic()

  function reportDamaged ({ damaged }: ReadResult): void {
    if (damaged.length === 0) return
    logger.error({ sequences: damaged }, 'damaged records set aside')
    threads.writer().setAside(damaged).catch((error: unknown) => { logger.warn({ err: error, sequences: damaged }, 'damaged records not marked') })
  }

  function isVisible ({ sequence }: WaitingMark): boolean {
    return sequence <= visible()
  }

  /** Marks have their times by the clock on the wall. Where it was set back since it was looked at last, theirs would be too late. */
  async function followClock (): Promise<void> {
    const offset = clock.now() - clock.monotonic()
    if (offset < clockOffset - CLOCK_STEP_MS) await watched(threads.writer().shortenWaits())
    clockOffset = offset
  }

  async function readFromDisk (page: ReadAfter): Promise<ReadDeliveries> {
    const result = await watched(threads.reader().readAfter(page))
    reportDamaged(result)
    return { deliveries: unpackDeliveries(result.deliveries), upTo: result.upTo }
  }

  return {
    readAfter: (after, limit, limitBytes) => recent().after(after, visible(), limit) ?? readFromDisk({ after, visible: visible(), limit, limitBytes }),

    async readMany (sequences) {
      const result = await watched(threads.reader().readMany({ sequences }))
      reportDamaged(result)
      return new Map(unpackDeliveries(result.deliveries).map((delivery) => [delivery.sequence, delivery]))
    },

    async readDue (forwarder, kind, options) {
      await followClock()
      const { heldBack: isHeldBack, ...due } = await watched(threads.reader().readDue({ forwarder, kind, ...options, visible: visible() }))
      heldBack ||= isHeldBack
      return due
    },

    readLanes: async (forwarder, kind, lanes, limit) => {
      const marks = await watched(threads.reader().readLanes({ forwarder, kind, lanes, limit }))
      return marks.filter(isVisible)
    },

    async readMarks (forwarder, kind, after, limit) {
      const marks = await watched(threads.reader().readMarks({ forwarder, kind, after, limit }))
      const end = marks.findIndex((mark) => !isVisible(mark))
      if (end === -1) return marks
      heldBack = true
      return marks.slice(0, end)
    },

    takeHeldBack () {
      const taken = heldBack
      heldBack = false
      return taken
    }
  }
}
