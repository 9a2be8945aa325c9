import { openDatabase, type DatabaseOptions } from './database.js'

const HOUR_MS = 3_600_000

/** Limits how often each webhook is switched on to once an hour over all replicas. `take` must be called before the webhook is switched on. */
export function createSharedSwitchOnLimit ({ url, schema }: Pick<DatabaseOptions, 'url' | 'schema'>) {
  return {
    async take (webhookId: string): Promise<{ readonly ok: true } | { readonly ok: false, readonly reason: string }> {
      // This is needed once in many days, so it opens its own connection each time.
      const database = openDatabase({ url, schema, connections: 1 })
      const { query, schema: s } = database
      try {
        const taken = await query(`INSERT INTO ${s}.switched_on AS o (webhook, at) VALUES ($1, ${s}.now_ms()) ON CONFLICT (webhook) DO UPDATE SET at = excluded.at
          WHERE o.at <= excluded.at - ${HOUR_MS} RETURNING 1`, [webhookId])
        if (taken.length > 0) return { ok: true }
        return { ok: false, reason: 'It was switched on within the last hour. tierhook does so again after an hour at the earliest.' }
      } catch (error) {
        return { ok: false, reason: `It cannot be noted in the database that it is switched on: ${error instanceof Error ? error.message : String(error)}` }
      } finally {
        await database.close()
      }
    }
  }
}
