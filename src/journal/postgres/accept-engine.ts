import type { Clock } from '../../delivery/clock.js'
import type { NewDelivery } from '../../delivery/delivery.js'
import { pause, within } from '../../delivery/within.js'
import type { AcceptEngine, AcceptEvents, AppendResult } from '../engine.js'
import { repeat } from '../upkeep.js'
import type { Logger } from 'pino'
import { DatabaseError, openDatabase, type DatabaseOptions } from './database.js'
import { packDeliveries, type Packed, type StoredBatch } from './pack-deliveries.js'
import { prune } from './prune.js'
import { refuseSameName } from './refuse-same-name.js'
import { migrate } from './schema.js'

export interface PostgresAcceptOptions extends Pick<DatabaseOptions, 'url' | 'schema'> {
  readonly member: Member
  readonly logger: Logger
  readonly clock: Clock
  readonly dedupeWindowMs: number
  readonly leaseMs?: number
  /** Called with what this replica has stored, so that its forwarding side need not poll for it or read it. */
  readonly onStored: (stored: StoredBatch) => void
}

/** A replica. The id belongs to this process alone, and the name stays the same after a restart. */
export interface Member {
  readonly id: string
  readonly name: string
}

/** One connection appends, the other tests whether commits work. */
const CONNECTIONS = 2
const PULSE_MS = 1000
const LEASE_MS = 10_000
/** The leader of the upkeep treats its lease as over this much before the database does, in milliseconds. */
const MARGIN_MS = 500
/** How long failures are tolerated before webhooks are refused at once, in milliseconds. */
const PATIENCE_MS = 4000
const RETRY_MS = 50
/** After this time, in milliseconds, a bound of the server's clock is replaced: the clock may have been set, or may be another server's. */
const BOUND_MS = 5000

interface Appended {
  readonly n: number
  readonly sequence: number | null
  readonly copy_id: string | null
  readonly copy_verdict: NewDelivery['verdict'] | null
  readonly at: number
}

/** Stores deliveries in a PostgreSQL database that other replicas share. */
export function createPostgresAcceptEngine (options: PostgresAcceptOptions): AcceptEngine {
  const { url, schema, member, logger, clock: { monotonic }, dedupeWindowMs, leaseMs = LEASE_MS } = options
  const stop = new AbortController()
  let events: AcceptEvents
  /** A lower bound of the difference between the server's clock and our monotonic clock. */
  let bound: { readonly ms: number, readonly at: number } | undefined
  let pulsedAt = monotonic()
  let isAvailable = true
  /** The term in which this replica leads the upkeep, and until when. A term of 0 means that it does not lead it. */
  let upkeep = { term: 0, until: -Infinity }
  const database = openDatabase({ url, schema, connections: CONNECTIONS, onConnect: () => { bound = undefined } })
  const { schema: s } = database

  function heard (serverTime: number): void {
    const ms = serverTime - monotonic()
    if (bound === undefined || ms > bound.ms || monotonic() - bound.at > BOUND_MS) bound = { ms, at: monotonic() }
  }

  async function pulse (): Promise<void> {
    try {
      const sentAt = monotonic()
      const [row] = await database.queryWithin<{ at: number, upkeep: number | null }>(PATIENCE_MS, `SELECT * FROM ${s}.pulse_2($1, $2, $3)`, [member.id, member.name, leaseMs])
      if (row !== undefined) heard(row.at)
      lead(row?.upkeep ?? 0, sentAt + leaseMs - MARGIN_MS)
      committed()
    } catch (error) {
      if (isAvailable && monotonic() - pulsedAt > PATIENCE_MS) {
        isAvailable = false
        events.onUnavailable(error)
      }
      throw error
    }
  }

  function lead (term: number, until: number): void {
    if (term > 0 && term !== upkeep.term) logger.info('upkeep led here')
    upkeep = { term, until }
  }

  /** Called when an append or a pulse has succeeded, so the next commit can succeed too. */
  function committed (): void {
    pulsedAt = monotonic()
    if (isAvailable) return
    isAvailable = true
    events.onAvailable()
  }

  async function appendOnce ({ count, rounds, records, bodies }: Packed, until: number): Promise<readonly Appended[]> {
    if (bound === undefined) await pulse()
    const deadline = Math.floor(until + (bound?.ms ?? 0))
    return await database.queryWithin<Appended>(until - monotonic(), `SELECT * FROM ${s}.append_3($1, $2, $3, $4, $5, $6)`, [deadline, dedupeWindowMs, count, rounds, records, bodies])
  }

  /**
   * Appends, and tries again with the same ids until the time is over. After a lost connection it is unknown whether a statement was executed.
   * Each id is stored once, however often it is sent.
   */
  async function appendUntil (packed: Packed, until: number): Promise<readonly Appended[]> {
    for (let mayBeDone = false; ;) {
      try {
        return await appendOnce(packed, until)
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error
        mayBeDone ||= error.mayBeDone
        const passes = error.mayBeDone || error.code === 'DATABASE_UNREACHABLE' || error.code === 'DATABASE_READ_ONLY' || error.code === 'DATABASE_EXHAUSTED'
        if (!passes || monotonic() + RETRY_MS >= until || stop.signal.aborted) throw mayBeDone ? new DatabaseError(error.code, error.message, true) : error
        await pause(RETRY_MS, stop.signal)
      }
    }
  }

  return {
    listen (given, stopping) {
      events = given
      stopping.addEventListener('abort', () => { stop.abort() })
    },

    async open () {
      await migrate(database, schema)
      await pulse()
      await refuseSameName({ database, member, pulse, monotonic, signal: stop.signal })
      const [row] = await database.query<{ last: number, at: number | null }>(`SELECT value AS last, (SELECT received_at FROM ${s}.deliveries ORDER BY sequence DESC LIMIT 1) AS at FROM ${s}.counters WHERE name = 'sequence'`)
      // Callers of `probe` and the appends report failures.
      repeat(PULSE_MS, async () => { await pulse().catch(() => undefined) }, { logger, signal: stop.signal })
      return { lastSequence: row?.last ?? 0, lastReceivedAt: row?.at ?? undefined }
    },

    explain: (error) => error instanceof DatabaseError && error.code !== 'REPLICA_NAME_TAKEN' ? new DatabaseError(error.code, `The database that JOURNAL names cannot be used: ${error.message}`) : error,
    // The lock lets only one append commit at a time. Appends on two connections would have no certain order.
    appendsAtOnce: 1,

    async append (deliveries, withinMs) {
      const startedAt = monotonic()
      try {
        const packed = packDeliveries(deliveries)
        const [first, ...others] = await appendUntil(packed, startedAt + withinMs)
        if (first?.sequence == null) throw new TypeError('An append has no answer')
        heard(first.at)
        committed()
        const after = first.sequence
        const results = deliveries.map((_each, index): AppendResult => after + index + 1)
        for (const row of others) results[row.n - 1] = toResult(row)
        options.onStored({ ...packed, after, without: others.map(({ n }) => n) })
        events.onCommit({ deliveries: deliveries.length, ms: monotonic() - startedAt })
        return results
      } catch (error) {
        events.onCommit({ deliveries: deliveries.length, ms: monotonic() - startedAt, error })
        throw error
      }
    },

    mayBeStored: (error) => error instanceof DatabaseError && error.mayBeDone,
    withdraw: async (ids) => { await database.query(`SELECT ${s}.withdraw_1($1)`, [ids]) },
    // There is no other place to record them. If this process ends before it can withdraw them, they stay stored, and a retry is answered as a
    // duplicate.
    recordWithdrawals: async () => {},
    clearWithdrawals: () => {},
    // What is committed is visible to every replica.
    setVisible: () => {},
    probe: pulse,
    leadsUpkeep: () => upkeep.term > 0 && monotonic() < upkeep.until,
    prune: async (step) => await prune(database, step, { member: member.id, term: upkeep.term }),

    async close (timeoutMs) {
      stop.abort()
      const closed = database.query(`UPDATE ${s}.members SET seen_at = 0 WHERE id = $1`, [member.id]).catch(() => undefined).then(database.close)
      await within(timeoutMs, closed)
      return true
    }
  }
}

function toResult ({ sequence, copy_id: id, copy_verdict: verdict }: Appended): AppendResult {
  if (id !== null && verdict !== null) return { id, verdict }
  return sequence ?? undefined
}
