import { createAcceptJournal, type AcceptJournal, type AcceptJournalOptions } from '../journal/journal.js'
import { createSqliteAcceptEngine, type SqliteAcceptOptions } from '../journal/sqlite/accept-engine.js'

export type { StartStore } from '../journal/sqlite/store-supervisor.js'

export interface SqliteJournalOptions extends Omit<AcceptJournalOptions, 'engine'>, SqliteAcceptOptions {}

export interface SqliteJournal extends AcceptJournal {
  /** Tells that a reader has met a damaged page. */
  readonly damaged: (error: unknown) => void
}

/** The accepting side of the journal on a SQLite database in the data folder. */
export function createSqliteJournal (options: SqliteJournalOptions): SqliteJournal {
  const engine = createSqliteAcceptEngine(options)
  return { ...createAcceptJournal({ ...options, engine }), damaged: engine.damaged }
}
