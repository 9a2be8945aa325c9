import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { createAcceptJournal, type AcceptJournal, type AcceptJournalOptions } from '../../src/journal/journal.js'
import { createFeeds } from '../../src/journal/feeds.js'
import { createPostgresAcceptEngine } from '../../src/journal/postgres/accept-engine.js'
import { createPostgresForwardEngine } from '../../src/journal/postgres/forward-engine.js'
import type { Journal } from '../../src/delivery/journal.js'

export interface PostgresJournalOptions extends Omit<AcceptJournalOptions, 'engine'> {
  readonly url: string
  readonly schema: string
  readonly logger: Logger
  readonly name?: string
  /** The names of all configured forwarders. Each replica leads a share of them. */
  readonly forwarders?: readonly string[]
  readonly atHome?: readonly string[]
  readonly leaseMs?: number
}

export interface PostgresJournal extends Journal, Omit<AcceptJournal, 'append' | 'close'> {}

/** Makes the accepting and the forwarding side of one replica, as one journal. */
export function createPostgresJournal (options: PostgresJournalOptions): PostgresJournal {
  const { url, schema, name = 'replica', logger, clock, dedupeWindowMs, forwarders = [], atHome = [] } = options
  const member = { id: randomUUID(), name }
  const forwarding = createPostgresForwardEngine({
    url, schema, member, logger, monotonic: clock.monotonic, now: clock.now, connections: 3, forwarders, atHome, ...options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }
  })
  const feeds = createFeeds({ engine: forwarding, logger, monotonic: clock.monotonic })
  const journal = createAcceptJournal({ ...options, engine: createPostgresAcceptEngine({ url, schema, member, logger, clock, dedupeWindowMs, onStored: forwarding.stored, ...options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs } }) })
  return {
    ...journal,
    openFeed: feeds.openFeed,
    async close () {
      await feeds.close()
      await journal.close()
    }
  }
}
