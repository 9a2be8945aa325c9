import { chmodSync } from 'node:fs'
import { noPostgres, queryOf, startPostgres, type PostgresServer } from '../test/support/postgres-server.js'
import type { SharedPlace } from './journal.js'

/** A PostgreSQL server for all rows that need one. The server from npm has PostgreSQL's default settings, so it syncs. */
export interface Database {
  /** Why such rows are left out; `false` if they are not. */
  readonly leftOut: string | false
  /** Returns an unused schema. Starts the server if it does not run yet. */
  readonly openSchema: () => Promise<{ readonly place: SharedPlace, readonly drop: () => Promise<void> }>
  /** Stops the server. Idempotent. */
  readonly end: () => Promise<void>
}

/**
 * @param directory where the server keeps its data
 * @param url an existing database; if absent, a server from npm is started
 */
export function createDatabase (directory: string, url: string | undefined): Database {
  const endings: Array<() => unknown> = []
  // Includes the process id, because another process may measure with the same database.
  const prefix = `bench_${process.pid}`
  let server: Promise<Pick<PostgresServer, 'url' | 'query'>> | undefined
  let schemas = 0

  async function start (): Promise<Pick<PostgresServer, 'url' | 'query'>> {
    if (url !== undefined) return { url, query: queryOf(url) }
    // root starts the server as another user, who must be able to enter the folder.
    chmodSync(directory, 0o711)
    return await startPostgres({ teardown: (end) => { endings.push(end) } }, { settings: ['shared_buffers=128MB'], parent: directory })
  }

  return {
    leftOut: url === undefined && noPostgres,
    async openSchema () {
      const { url, query } = await (server ??= start())
      const schema = `${prefix}_${++schemas}`
      return {
        place: { kind: 'postgres', url, schema },
        async drop () { await query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`) }
      }
    },
    async end () {
      for (const end of endings.splice(0)) await end()
    }
  }
}
