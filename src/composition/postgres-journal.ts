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

/** Which database it is, and who this replica is. All of it may cross to another thread. */
export type SharedJournal = Pick<PostgresForwardOptions, 'url' | 'schema' | 'member' | 'connections'>

/** Connections that are not for reading what is to be forwarded: two append, one renews the lease, one is for what was noticed, two are the operator's. */
const OTHER_CONNECTIONS = 6

/** The database that replicas share; `undefined` where the journal is in the data folder. */
export function sharedJournal ({ JOURNAL, JOURNAL_SCHEMA, JOURNAL_POOL_SIZE, REPLICA_NAME }: Pick<Settings, 'JOURNAL' | 'JOURNAL_SCHEMA' | 'JOURNAL_POOL_SIZE' | 'REPLICA_NAME'>): SharedJournal | undefined {
  if (JOURNAL === undefined) return undefined
  return { url: JOURNAL, schema: JOURNAL_SCHEMA, member: { id: randomUUID(), name: REPLICA_NAME ?? hostname() }, connections: JOURNAL_POOL_SIZE - OTHER_CONNECTIONS }
}

export interface PostgresJournalOptions extends Omit<AcceptJournalOptions, 'engine'>, Omit<PostgresAcceptOptions, 'url' | 'schema' | 'member'> {
  readonly dataDir: string
  readonly shared: SharedJournal
}

/** The accepting side of the journal in a database that replicas share. What this replica keeps for itself is in its data folder, which is its alone. */
export function createPostgresJournal ({ dataDir, shared, ...options }: PostgresJournalOptions): AcceptJournal {
  const journal = createAcceptJournal({ ...options, engine: createPostgresAcceptEngine({ ...options, ...shared }) })
  let lock: ReturnType<typeof lockDataFolder> | undefined
  return {
    ...journal,
    async start () {
      await makeDataFolder(dataDir)
      lock ??= lockDataFolder(dataDir)
      if (existsSync(databasePath(dataDir))) {
        throw new DatabaseError('DATABASE_UNFIT', `JOURNAL is set, and the data folder ${dataDir} holds tierhook.db, a journal whose events nobody would forward: name another folder in DATA_DIR, or let the service forward them all without JOURNAL, and move the file away`)
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
