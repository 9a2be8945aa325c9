import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { createAcceptJournal, type AcceptJournal, type AcceptJournalOptions } from '../journal/journal.js'
import { createPostgresAcceptEngine, type PostgresAcceptOptions } from '../journal/postgres/accept-engine.js'
import { DatabaseError } from '../journal/postgres/database.js'
import type { PostgresForwardOptions } from '../journal/postgres/forward-engine.js'
import { lockDataFolder, makeDataFolder } from '../journal/sqlite/data-lock.js'
import { databasePath } from '../journal/sqlite/database.js'
import type { Settings } from '../config/settings.js'

/** The database, and the identity of this replica. All of it can be cloned to another thread. */
export type SharedJournal = Pick<PostgresForwardOptions, 'url' | 'schema' | 'member' | 'connections'>

/**
 * Connections used for other work than reading what is to be forwarded: two append, one renews the lease, one stores observations, two are for
 * the operator.
 */
const OTHER_CONNECTIONS = 6

/** Returns the database that replicas share; `undefined` if the journal is in the data folder. */
export function sharedJournal ({ JOURNAL, JOURNAL_SCHEMA, JOURNAL_POOL_SIZE, REPLICA_NAME }: Pick<Settings, 'JOURNAL' | 'JOURNAL_SCHEMA' | 'JOURNAL_POOL_SIZE' | 'REPLICA_NAME'>): SharedJournal | undefined {
  if (JOURNAL === undefined) return undefined
  return { url: JOURNAL, schema: JOURNAL_SCHEMA, member: { id: randomUUID(), name: REPLICA_NAME ?? hostname() }, connections: JOURNAL_POOL_SIZE - OTHER_CONNECTIONS }
}

export interface PostgresJournalOptions extends Omit<AcceptJournalOptions, 'engine'>, Omit<PostgresAcceptOptions, 'url' | 'schema' | 'member'> {
  readonly dataDir: string
  readonly shared: SharedJournal
}

/**
 * Makes the accepting side of a journal in a shared database. The data folder holds what belongs to this replica only, and no other replica may
 * use it.
 */
export function createPostgresJournal ({ dataDir, shared, ...options }: PostgresJournalOptions): AcceptJournal {
  const journal = createAcceptJournal({ ...options, engine: createPostgresAcceptEngine({ ...options, ...shared }) })
  let lock: ReturnType<typeof lockDataFolder> | undefined
  return {
    ...journal,
    async start () {
      await makeDataFolder(dataDir)
      lock ??= lockDataFolder(dataDir)
      if (existsSync(databasePath(dataDir))) {
        throw new DatabaseError('DATABASE_UNFIT', `JOURNAL is set, but the data folder ${dataDir} holds tierhook.db, a journal whose events would not be forwarded. Set DATA_DIR to another folder, or start the service without JOURNAL until all of them are forwarded, and then move the file away`)
      }
      await journal.start()
    },
    async close () {
      await journal.close()
      lock?.release()
      lock = undefined
    }
  }
}
