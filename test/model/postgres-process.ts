import { setImmediate as turn } from 'node:timers/promises'
import type { Client, QueryResult } from 'pg'
import type { HookedQuery, Queries } from '../support/query-hook.js'
import type { OpenModelJournal } from './engine.js'
import type { QueryFaults } from './query-faults.js'

export interface ProcessOptions extends Pick<OpenModelJournal, 'stall' | 'onUnsure'> {
  /** Its connections have this name. */
  readonly application: string
  readonly faults: QueryFaults
  readonly queries: Pick<Queries, 'resting'>
  /** Runs a statement of the model's own. */
  readonly ask: <T>(text: string, values: readonly unknown[]) => Promise<readonly T[]>
  readonly die: (tear: number) => void | Promise<void>
}

/** The connections of one process, as long as it lives. */
export interface PostgresProcess {
  readonly connecting: (client: Client) => void
  readonly query: (query: HookedQuery) => Promise<QueryResult>
  /** The server ends its connections. */
  readonly disconnect: () => Promise<void>
  /** It does nothing more; resolves when the server has done what it was asked before. */
  readonly kill: () => Promise<void>
}

export function createPostgresProcess ({ application, faults, stall, queries, ask, die, onUnsure }: ProcessOptions): PostgresProcess {
  const clients = new Set<Client>()
  const inTransaction = new WeakSet<Client>()
  let isDead = false

  async function stalled (phase: 'before' | 'after', { client, text }: HookedQuery): Promise<void> {
    if (!stall.isOn() || !/\.(?:append|save)_\d+\(/.test(text)) return
    await queries.resting(Promise.race([stall.pass(phase), endOf(client)]))
  }

  async function reach (moment: 'before' | 'after', { client, text }: HookedQuery): Promise<void> {
    const fault = faults.reach(moment, { text, inTransaction: inTransaction.has(client) })
    switch (fault?.type) {
      case undefined: return
      case 'death': return await die(fault.tear)
      case 'refused': throw Object.assign(new Error('as the model wants it'), { severity: 'ERROR', code: fault.code })
      case 'unreached':
      case 'unanswered':
        cut(client)
        throw lost()
    }
  }

  /** Takes note of what is stored when its answer does not get through. */
  async function answered (query: HookedQuery, result: QueryResult): Promise<QueryResult> {
    const ids = idsOf(query)
    const isTold = (): boolean => !isDead && clients.has(query.client)
    if (stall.isOn()) onUnsure(ids)
    try {
      await reach('after', query)
      await stalled('after', query)
      if (!isTold()) throw lost()
      return result
    } catch (error) {
      onUnsure(ids)
      throw error
    }
  }

  async function send (query: HookedQuery): Promise<QueryResult> {
    try {
      return await query.send()
    } catch (error) {
      if (!(error instanceof Error && 'severity' in error)) onUnsure(idsOf(query))
      throw error
    }
  }

  function cut (client: Client): void {
    (client as unknown as { readonly connection: { readonly stream: { readonly destroy: () => void } } }).connection.stream.destroy()
  }

  return {
    connecting (client) {
      if (isDead) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      clients.add(client)
      client.once('end', () => { clients.delete(client) })
    },

    async query (query) {
      const { client, text } = query
      await reach('before', query)
      await stalled('before', query)
      if (isDead || !clients.has(client)) throw lost()
      const result = await send(query)
      if (text === 'BEGIN') inTransaction.add(client)
      const answer = await answered(query, result)
      if (text === 'COMMIT' || text === 'ROLLBACK') inTransaction.delete(client)
      return answer
    },

    async disconnect () {
      const ending = [...clients]
      // One that is still being made ends too.
      while (ending.some((client) => clients.has(client))) {
        await ask('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [application])
        await turn()
      }
    },

    async kill () {
      isDead = true
      for (const client of clients) cut(client)
      while ((await ask('SELECT 1 FROM pg_stat_activity WHERE application_name = $1', [application])).length > 0) await turn()
    }
  }
}

async function endOf (client: Client): Promise<void> {
  await new Promise<void>((resolve) => { client.once('end', () => { resolve() }) })
}

function lost (): Error {
  return new Error('Connection terminated unexpectedly')
}

/** The deliveries that a statement stores. */
function idsOf ({ text, values }: HookedQuery): readonly string[] {
  if (!text.includes('.append_3(')) return []
  return (JSON.parse(String(values[4])) as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id)
}
