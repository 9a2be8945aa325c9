import { createSqliteJournal, type SqliteJournal, type SqliteJournalOptions } from '../../src/composition/sqlite-journal.js'
import type { Journal } from '../../src/delivery/journal.js'
import { createFeeds } from '../../src/journal/feeds.js'
import { createSqliteForwardEngine } from '../../src/journal/sqlite/forward-engine.js'
import type { Reader } from '../../src/journal/sqlite/reader.js'
import type { LocalThreads } from './local-threads.js'

export interface WholeJournalOptions extends Omit<SqliteJournalOptions, 'readers'> {
  /** Resolves when no other connection of this process to the database is open. A salvage waits for it. */
  readonly letGoElsewhere?: () => Promise<void>
  readonly threads?: LocalThreads
  readonly reader?: Reader
}

export interface WholeJournal extends Journal, Omit<SqliteJournal, 'append' | 'close'> {}

/** Makes the accepting and the forwarding side of a journal in one thread, as one journal. */
export function createWholeJournal ({ letGoElsewhere, threads, reader, ...options }: WholeJournalOptions): WholeJournal {
  const { logger, clock } = options
  const forwarding = createSqliteForwardEngine({
    logger,
    clock,
    term: 1,
    ...(reader === undefined ? {} : { reader }),
    onDamage: (error) => { journal.damaged(error) }
  })
  const feeds = createFeeds({ engine: forwarding, logger, monotonic: clock.monotonic })
  const journal = createSqliteJournal({
    ...options,
    ...(threads === undefined ? {} : { startStore: threads.startStore }),
    readers: {
      storeOpened: ({ path, visible, store }) => { forwarding.storeOpened({ path, visible, store: store.remote }) },
      setVisible: forwarding.setVisible,
      checkpoint: async () => { forwarding.checkpoint() },
      async closeDatabase () {
        forwarding.closeDatabase()
        await letGoElsewhere?.()
      }
    }
  })
  return {
    ...journal,
    openFeed: feeds.openFeed,
    async close () {
      await feeds.close()
      await journal.close()
    }
  }
}
