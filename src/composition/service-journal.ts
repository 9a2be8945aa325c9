import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import { DAY_MS, type Clock } from '../delivery/clock.js'
import type { Observer } from '../delivery/observation.js'
import type { AcceptJournal } from '../journal/journal.js'
import type { DeliverySupervisor } from './delivery-supervisor.js'
import { createPostgresJournal, type SharedJournal } from './postgres-journal.js'
import type { RemoteOperator } from './remote-operator.js'
import { createSqliteJournal, type SqliteJournal, type StartStore } from './sqlite-journal.js'

export interface ServiceJournalOptions {
  readonly settings: Settings
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** The database that replicas share; `undefined` if the journal is in the data folder. */
  readonly shared: SharedJournal | undefined
  readonly startStore: StartStore | undefined
  /** Reads what is stored. */
  readonly delivery: DeliverySupervisor
  readonly operator: Pick<RemoteOperator, 'closeDatabase'>
  readonly observer: Observer
}

/** Makes the accepting side of the journal that the settings name. */
export function createServiceJournal ({ settings, dataDir, logger, clock, shared, startStore, delivery, operator, observer }: ServiceJournalOptions): AcceptJournal & Partial<SqliteJournal> {
  const options = {
    dataDir,
    logger,
    clock,
    onCommit: observer.committed,
    dedupeWindowMs: settings.DEDUPE_WINDOW_DAYS * DAY_MS,
    retention: { maxAgeMs: settings.RETENTION_DAYS * DAY_MS, quarantineMaxAgeMs: settings.RETENTION_QUARANTINE_DAYS * DAY_MS, maxBytes: settings.RETENTION_MAX_BYTES },
    onEvicted: observer.quarantineEvicted
  }
  if (shared !== undefined) return createPostgresJournal({ ...options, shared, onStored: delivery.stored })
  return createSqliteJournal({
    ...options,
    ...(startStore === undefined ? {} : { startStore }),
    readers: {
      storeOpened: delivery.storeOpened,
      setVisible: delivery.setVisible,
      checkpoint: delivery.checkpoint,
      closeDatabase: async () => { await Promise.all([delivery.closeDatabase(), operator.closeDatabase()]) }
    }
  })
}
