import { chmodSync } from 'node:fs'
import { noPostgres, queryOf, startPostgres, type PostgresServer } from '../test/support/postgres-server.js'
import type { SharedPlace } from './journal.js'

/** A PostgreSQL server for all rows that need one. The one from npm has PostgreSQL's own settings: it syncs. */
export interface Database {
  /** Why there are no such rows; `false` where there are. */
  readonly leftOut: string | false
  /** A schema that nobody has used. Starts the server where it does not run yet. */
  readonly openSchema: () => Promise<{ readonly place: SharedPlace, readonly drop: () => Promise<void> }>
  /** Ends the server. Idempotent. */
  readonly end: () => Promise<void>
}

/**
 * @param directory where its data are kept
 * @param url of a database that is there already; one from npm is started where absent
 */
export function createDatabase (directory: string, url: string | undefined): Database {
  const endings: Array<() => unknown> = []
  // Of this process alone: somebody else may measure with the same database.
  const prefix = `bench_${process.pid}`
  let server: Promise<Pick<PostgresServer, 'url' | 'query'>> | undefined
  let schemas = 0

  async function start (): Promise<Pick<PostgresServer, 'url' | 'query'>> {
    if (url !== undefined) return { url, query: queryOf(url) }
    // Another user may pass, as whom root starts the server.
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
