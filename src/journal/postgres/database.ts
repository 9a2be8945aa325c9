import type * as Driver from 'pg'
import { StoreError } from '../../delivery/operator.js'

/** Why the database cannot be used. What each code means is described with the other storage causes. */
export type DatabaseErrorCode =
  | 'DATABASE_UNREACHABLE' | 'DATABASE_SLOW' | 'DATABASE_READ_ONLY' | 'DATABASE_REFUSES' | 'DATABASE_FULL' | 'DATABASE_EXHAUSTED' | 'DATABASE_UNFIT' | 'REPLICA_NAME_TAKEN'

/** An error of the database. The driver's own error is not attached, because it may contain the password. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode
  /** Whether the statement may have been executed, or may still be. */
  readonly mayBeDone: boolean

  constructor (code: DatabaseErrorCode, message: string, mayBeDone = false) {
    super(message)
    this.code = code
    this.mayBeDone = mayBeDone
  }
}

export type Row = Readonly<Record<string, unknown>>

/** Runs a statement and returns its rows. Statements have no names, so that PgBouncer may run each on another connection. */
export type Query = <T = Row>(text: string, values?: readonly unknown[]) => Promise<readonly T[]>

export interface Database {
  /** The schema's name, quoted for statements. */
  readonly schema: string
  readonly query: Query
  /** Runs a statement and rejects after `ms` milliseconds. The statement may still be executed then. */
  readonly queryWithin: <T = Row>(ms: number, text: string, values: readonly unknown[]) => Promise<readonly T[]>
  readonly transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>
  /**
   * Closes all connections, so that the next statement looks up the server's address again. Done automatically if the server is read-only, as
   * after a failover.
   */
  readonly reconnect: () => void
  readonly close: () => Promise<void>
}

export interface DatabaseOptions {
  readonly url: string
  readonly schema: string
  readonly connections: number
  /** How long a statement may take, in milliseconds. */
  readonly timeoutMs?: number
  /** Called when a connection was lost. */
  readonly onLost?: () => void
  readonly onConnect?: () => void
}

const CONNECT_MS = 3000
const STATEMENT_MS = 15_000
const IDLE_MS = 60_000
/** The routine in PostgreSQL that warns that a commit was made but not confirmed by its synchronous standby. */
const SYNC_WAIT = 'SyncRepWaitForLSN'
const BIGINT = 20

/** By the classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html. The longest match counts. */
const CODES: Readonly<Record<string, DatabaseErrorCode>> = {
  '08': 'DATABASE_UNREACHABLE',
  25006: 'DATABASE_READ_ONLY',
  // A standby refuses to tell its timeline, with this code. Code that only reads learns in this way that the server is read-only.
  55000: 'DATABASE_READ_ONLY',
  28: 'DATABASE_REFUSES',
  '3D': 'DATABASE_REFUSES',
  42501: 'DATABASE_REFUSES',
  53: 'DATABASE_EXHAUSTED',
  53100: 'DATABASE_FULL',
  54: 'DATABASE_EXHAUSTED',
  '55P03': 'DATABASE_SLOW',
  57014: 'DATABASE_SLOW',
  '57P': 'DATABASE_UNREACHABLE',
  58: 'DATABASE_UNREACHABLE',
  // PgBouncer has no connection to the server.
  '08P01': 'DATABASE_UNREACHABLE',
  // The deadline had passed when the append began.
  TH001: 'DATABASE_SLOW'
}

/** The driver is loaded on first use, because most services keep their journal in the data folder. */
let driver: Promise<typeof Driver> | undefined

export function openDatabase ({ url, schema, connections, timeoutMs = STATEMENT_MS, onLost, onConnect }: DatabaseOptions): Database {
  let pool: Promise<Driver.Pool> | undefined
  let closed: Promise<void> | undefined

  async function openPool (): Promise<Driver.Pool> {
    const { default: { Pool, TypeOverrides } } = await (driver ??= import('pg'))
    const types = new TypeOverrides()
    // The journal's numbers are far below 2^53.
    types.setTypeParser(BIGINT, Number)
    const opened = new Pool({ connectionString: url, max: connections, connectionTimeoutMillis: CONNECT_MS, idleTimeoutMillis: IDLE_MS, keepAlive: true, application_name: 'tierhook', types })
    // The pool reports lost idle connections here. If a connection in use is lost, its statement fails too.
    opened.on('error', () => { onLost?.() })
    opened.on('connect', (client) => {
      // A server that shuts down may send an error before the user of the client listens for one.
      client.on('error', () => undefined)
      // The planner estimates a high cost for the counts of lists. Compiling such a query takes half a second, but counting takes a millisecond.
      client.query('SET jit = off').catch(() => undefined)
      onConnect?.()
    })
    return opened
  }

  async function use<T> (ms: number, work: (query: Query) => Promise<T>): Promise<T> {
    if (closed !== undefined) throw new DatabaseError('DATABASE_UNREACHABLE', 'The connections are closed')
    pool ??= openPool()
    const client = await (await pool).connect().catch((error: unknown) => { throw explain(error, false) })
    let broken = false
    let unconfirmed = false
    let sent = false
    let inTransaction = false
    const lose = (): void => { broken = true }
    const notice = ({ routine }: { readonly routine?: string | undefined }): void => { unconfirmed ||= routine === SYNC_WAIT }
    client.on('error', lose)
    client.on('notice', notice)
    let late = false
    // Destroy the connection and never cancel the statement: a cancelled commit that waits for its standby reports success, although the standby
    // has not confirmed it.
    const timer = setTimeout(() => {
      late = true
      streamOf(client).destroy()
    }, Math.max(1, ms))
    try {
      const result = await work(async <R> (text: string, values: readonly unknown[] = []) => {
        // A lost connection rolls a transaction back, unless its COMMIT was sent.
        inTransaction ||= text === 'BEGIN'
        sent ||= !inTransaction || text === 'COMMIT'
        return (await client.query(text, [...values])).rows as R[]
      })
      if (unconfirmed) throw new DatabaseError('DATABASE_SLOW', 'The commit was not confirmed by its standby', true)
      return result
    } catch (error) {
      broken ||= !isAnswer(error)
      const explained = late ? new DatabaseError('DATABASE_SLOW', `The database has not answered within ${Math.round(ms)} ms`, sent) : explain(error, sent)
      if (explained instanceof DatabaseError && explained.code === 'DATABASE_READ_ONLY') reconnect()
      throw explained
    } finally {
      clearTimeout(timer)
      client.off('error', lose)
      client.off('notice', notice)
      client.release(broken)
      if (broken) onLost?.()
    }
  }

  function reconnect (): void {
    const old = pool
    pool = undefined
    old?.then(async (each) => { await each.end() }).catch(() => undefined)
  }

  return {
    schema: quoted(schema),
    query: async <T> (text: string, values?: readonly unknown[]) => await use(timeoutMs, async (query) => await query<T>(text, values)),
    queryWithin: async <T> (ms: number, text: string, values: readonly unknown[]) => await use(ms, async (query) => await query<T>(text, values)),

    transaction: async (work) => await use(timeoutMs, async (query) => {
      await query('BEGIN')
      try {
        const result = await work(query)
        await query('COMMIT')
        return result
      } catch (error) {
        if (isAnswer(error)) await query('ROLLBACK')
        throw error
      }
    }),

    reconnect,

    async close () {
      closed ??= (async () => { await (await pool)?.end() })()
      await closed
    }
  }
}

export function quoted (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function streamOf (client: Driver.PoolClient): { readonly destroy: () => void } {
  return (client as unknown as { readonly connection: { readonly stream: { readonly destroy: () => void } } }).connection.stream
}

/**
 * Whether the server answered with this error and the connection can still be used. Errors of tierhook's own are not faults of the connection
 * either.
 */
function isAnswer (error: unknown): boolean {
  return isServers(error) ? error.severity === 'ERROR' : error instanceof DatabaseError || error instanceof TypeError || error instanceof StoreError
}

interface ServerError extends Error {
  readonly severity: string
  readonly code: string
  readonly where?: string
}

function isServers (error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error
}

/**
 * Converts an error of the driver to a `DatabaseError`. An error that shows a defect of tierhook keeps its message and code, but not the
 * driver's other fields.
 */
function explain (error: unknown, sent: boolean): unknown {
  if (isServers(error)) {
    const { code } = error
    const known = [code, code.slice(0, 3), code.slice(0, 2)].map((part) => CODES[part]).find((each) => each !== undefined)
    if (known === undefined) return Object.assign(new Error(`${error.message} (${code}${error.where === undefined ? '' : `, ${error.where}`})`), { code })
    return new DatabaseError(known, error.message, sent && !isAnswer(error))
  }
  if (isAnswer(error) || !(error instanceof Error)) return error
  // The driver has no error codes of its own. An error that is no answer of the server means that the connection could not be made, or was lost.
  return new DatabaseError('DATABASE_UNREACHABLE', error.message === '' && 'code' in error ? String(error.code) : error.message, sent)
}
