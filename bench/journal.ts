import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from '../src/delivery/clock.js'
import type { Journal } from '../src/delivery/journal.js'
import { createPostgresJournal } from '../test/support/postgres-journal.js'
import { createWholeJournal } from '../test/support/whole-journal.js'

export interface SharedPlace {
  readonly kind: 'postgres'
  readonly url: string
  readonly schema: string
}

/** Where a journal is kept. */
export type JournalPlace = SharedPlace | { readonly kind: 'sqlite', /** An empty folder. */ readonly folder: string }

const DAY_MS = 86_400_000

export const logger = pino({ level: 'info', base: null }, { write: () => {} })

/** @param forwarders the names of all forwarders that will read from it */
export async function openJournal (place: JournalPlace, forwarders: readonly string[] = []): Promise<Journal> {
  const options = { logger, clock: systemClock, dedupeWindowMs: DAY_MS, retention: { maxAgeMs: 365 * DAY_MS, maxBytes: 0 } }
  const journal = place.kind === 'sqlite'
    ? createWholeJournal({ ...options, dataDir: join(place.folder, 'journal') })
    : createPostgresJournal({ ...options, url: place.url, schema: place.schema, forwarders })
  await journal.start()
  return journal
}
