import type { Logger } from 'pino'
import type { FeedStore, ReadDeliveries } from '../feed-store.js'
import { unpackDeliveries } from './packed-deliveries.js'
import type { ReadAfter, ReadResult } from './reader.js'
import type { Recent } from './recent.js'
import type { StoreThreads } from './store-threads.js'

export interface StoreReadsOptions {
  readonly threads: StoreThreads
  readonly logger: Logger
  readonly recent: () => Recent
  /** Up to which sequence deliveries may be read. */
  readonly visible: () => number
}

/** What feeds read: what was just stored out of memory, all else from the disk. */
export interface StoreReads extends Pick<FeedStore, 'readAfter' | 'readMany' | 'readReplaysAfter'> {
  /** Whether replays of what may yet be withdrawn were asked for, and held back, since this was last asked. */
  readonly takeHeldBack: () => boolean
}

export function createStoreReads ({ threads, logger, recent, visible }: StoreReadsOptions): StoreReads {
  const { watched } = threads
  let heldBack = false

  function reportDamaged ({ damaged }: ReadResult): void {
    if (damaged.length === 0) return
    logger.error({ sequences: damaged }, 'damaged records set aside')
    threads.writer().setAside(damaged).catch((error: unknown) => { logger.warn({ err: error, sequences: damaged }, 'damaged records not marked') })
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

    async readReplaysAfter (forwarder, after, limit) {
      const marks = await watched(threads.reader().readReplaysAfter({ forwarder, after, limit }))
      const end = marks.findIndex(({ sequence }) => sequence > visible())
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
