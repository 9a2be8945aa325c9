import { Client, type QueryResult } from 'pg'

/** A statement about to be sent to the server. */
export interface HookedQuery {
  readonly client: Client
  /** The application name in the client's connection string. */
  readonly application: string
  readonly text: string
  readonly values: readonly unknown[]
  readonly send: () => Promise<QueryResult>
}

export interface QueryHook {
  /** Called in place of each statement. */
  readonly query: (query: HookedQuery) => Promise<QueryResult>
  /** Called before a client connects. May throw in place of the connection. */
  readonly connecting: (client: Client, application: string) => void
}

export interface Queries {
  /** Resolves when no client waits for its server; `undefined` if none does. */
  readonly busy: () => Promise<void> | undefined
  /** Counts a promise as work until it settles. */
  readonly working: <T>(work: Promise<T>) => Promise<T>
  /** Excludes a promise from the work that contains it, until it settles. */
  readonly resting: <T>(rest: Promise<T>) => Promise<T>
  readonly unhook: () => void
}

type Callback = (error?: Error) => void

/** Intercepts the queries to PostgreSQL in this process, until `unhook`. */
export function hookQueries (hook: QueryHook): Queries {
  const { query, connect, end } = Client.prototype as unknown as Record<'query' | 'connect' | 'end', (this: Client, ...parameters: unknown[]) => unknown>
  let count = 0
  let waiting: Array<() => void> = []

  function ended (): void {
    if (--count > 0) return
    const told = waiting
    waiting = []
    for (const tell of told) tell()
  }

  async function working<T> (work: Promise<T>): Promise<T> {
    count++
    return await work.finally(ended)
  }

  /** Counts as work until the callback is called. */
  function counted (callback: Callback): Callback {
    count++
    return (error) => {
      ended()
      callback(error)
    }
  }

  Object.assign(Client.prototype, {
    query (this: Client, text: unknown, values: readonly unknown[] = []) {
      const send = (): Promise<QueryResult> => Reflect.apply(query, this, [text, values]) as Promise<QueryResult>
      return typeof text === 'string' ? working(hook.query({ client: this, application: applicationOf(this), text, values, send })) : send()
    },

    connect (this: Client, callback?: Callback) {
      if (callback === undefined) return working(Reflect.apply(connect, this, []) as Promise<void>)
      const done = counted(callback)
      try {
        hook.connecting(this, applicationOf(this))
      } catch (error) {
        process.nextTick(done, error)
        return
      }
      Reflect.apply(connect, this, [done])
    },

    end (this: Client, callback?: Callback) {
      return callback === undefined ? working(Reflect.apply(end, this, []) as Promise<void>) : Reflect.apply(end, this, [counted(callback)])
    }
  })

  return {
    busy: () => count === 0 ? undefined : new Promise((resolve) => { waiting.push(resolve) }),
    working,
    async resting (rest) {
      ended()
      return await rest.finally(() => { count++ })
    },
    unhook () { Object.assign(Client.prototype, { query, connect, end }) }
  }
}

function applicationOf (client: Client): string {
  return String((client as unknown as { readonly connectionParameters: { readonly application_name: unknown } }).connectionParameters.application_name)
}
