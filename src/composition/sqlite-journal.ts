import { createAcceptJournal, type AcceptJournal, type AcceptJournalOptions } from '../journal/journal.js'
import { createSqliteAcceptEngine, type SqliteAcceptOptions } from '../journal/sqlite/accept-engine.js'

export type { StartStore } from '../journal/sqlite/store-supervisor.js'

export interface SqliteJournalOptions extends Omit<AcceptJournalOptions, 'engine'>, SqliteAcceptOptions {}

export interface SqliteJournal extends AcceptJournal {
  /** Reports a damaged page that a reader has met. */
  readonly damaged: (error: unknown) => void
}

/** Makes the accepting side of a journal in an SQLite database in the data folder. */
export function createSqliteJournal (options: SqliteJournalOptions): SqliteJournal {
  const engine = createSqliteAcceptEngine(options)
  return { ...createAcceptJournal({ ...options, engine }), damaged: engine.damaged }
}
