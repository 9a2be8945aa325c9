import type { Logger } from 'pino'
import type { FeedOptions, Journal } from '../delivery/journal.js'
import type { ForwardEngine } from './engine.js'
import { createFeed, type JournalFeed } from './feed.js'
import { createProgressSaver } from './progress-saver.js'
import { shareReads } from './shared-reads.js'

export interface FeedsOptions {
  readonly engine: ForwardEngine
  readonly logger: Logger
  readonly monotonic: () => number
}

/** The journal as the forwarding side sees it. */
export interface Feeds extends Pick<Journal, 'openFeed'> {
  /** Idempotent. */
  readonly close: () => Promise<void>
}

/** How long closing waits for a disk that does not answer, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1500

/** The journal's feeds, over any engine. */
export function createFeeds ({ engine, logger, monotonic }: FeedsOptions): Feeds {
  /** The feed of the latest term of each forwarder. */
  const feeds = new Map<string, { readonly feed: JournalFeed, readonly term: number, readonly options: FeedOptions }>()
  const { readAfter, more, forget } = shareReads(engine.readAfter)
  const progress = createProgressSaver({ save: engine.save, onLost: lose, onDefect: defect })
  engine.listen({
    // Save at once: unsaved progress would be forwarded again after a crash.
    onAvailable () {
      // A restored database, or another server in its place, may have other deliveries under the same sequences.
      forget()
      progress.retry()
    },
    onMore (fresh) {
      more(fresh)
      for (const { feed } of feeds.values()) feed.wake()
    },
    onReplays () {
      // Deliveries on the kept pages may have been erased.
      forget()
      for (const { feed } of feeds.values()) feed.wakeReplays()
    },
    onLost: lose,
    onYield (forwarder, term) {
      const led = feeds.get(forwarder)
      if (led?.term === term) led.options.onLost?.('yield')
    },
    onPaused (forwarder, paused) { feeds.get(forwarder)?.options.onPaused?.(paused) }
  })

  function defect (error: unknown): void {
    logger.fatal({ err: error }, 'journal failed')
  }

  /** Closes the feed of a term that has ended, so that it hands out nothing more. */
  function lose (forwarder: string, term: number): void {
    const lost = feeds.get(forwarder)
    if (lost?.term !== term) return
    feeds.delete(forwarder)
    forget()
    lost.feed.close().catch(defect)
    lost.options.onLost?.('lost')
  }

  return {
    async openFeed (options) {
      const led = await engine.lead(options)
      const { readMany, readDue, readLanes, readMarks } = engine
      const feed = createFeed(options, led, { readAfter, readMany, readDue, readLanes, readMarks, commit: progress.save, giveUp: engine.giveUp, monotonic })
      const { forwarder } = options
      feeds.set(forwarder, { feed, term: led.term, options })
      if (engine.isLeading === undefined) return feed
      return { ...feed, get position () { return feed.position }, claim: (limit) => engine.isLeading?.(forwarder, led.term) === false ? { claims: [] } : feed.claim(limit) }
    },

    async close () {
      await progress.close(CLOSE_TIMEOUT_MS)
      await engine.close()
    }
  }
}
