import type { Logger } from 'pino'
import { storageFields, storageReason } from '../../errors/storage-cause.js'
import type { FeedOptions } from '../../delivery/journal.js'
import type { ForwardEngine, ForwardEvents, FreshPage, Progress, SaveResult } from '../engine.js'
import { pause } from '../../delivery/within.js'
import { DISCARDED_WITHIN } from '../limits.js'
import type { Member } from './accept-engine.js'
import { DatabaseError, openDatabase, type DatabaseOptions } from './database.js'
import { packCommits } from './pack-commits.js'
import { unpackDeliveries, type StoredBatch } from './pack-deliveries.js'
import { createReads } from './reads.js'
import { createTerms } from './terms.js'

export interface PostgresForwardOptions extends Pick<DatabaseOptions, 'url' | 'schema'> {
  readonly member: Member
  readonly logger: Logger
  readonly monotonic: () => number
  readonly now: () => number
  readonly connections: number
  /** The names of all configured forwarders. */
  readonly forwarders: readonly string[]
  /** Forwarders that only their home replica may lead, because their destination is there. The replica that leads them first becomes their home. */
  readonly atHome: readonly string[]
  readonly leaseMs?: number
}

/** Leads forwarders by leases in a PostgreSQL database that other replicas share. */
export interface PostgresForwardEngine extends ForwardEngine {
  /** Tells the engine what this replica has stored, so that it need not poll for it or read it. */
  readonly stored: (batch: StoredBatch) => void
}

interface Wanted {
  readonly registered: Promise<void>
  readonly resolve: (progress: Progress) => void
  readonly reject: (error: Error) => void
}

interface RenewedRow {
  readonly name: string
  readonly holder: string | null
  readonly token: number
  readonly paused: boolean
  readonly taken: boolean
  readonly share: number
}

const LEASE_MS = 10_000
const RENEW_MS = 1000
/** The holder treats its lease as over this much before the database does, in milliseconds. */
const MARGIN_MS = 500
/** How often the engine looks for deliveries that other replicas have stored, in milliseconds. */
const POLL_MS = 100

export function createPostgresForwardEngine (options: PostgresForwardOptions): PostgresForwardEngine {
  const { url, schema, member, logger, monotonic, leaseMs = LEASE_MS } = options
  const stop = new AbortController()
  /** One connection only for the lease, whose renewal must not wait for reads. */
  const leasing = openDatabase({ url, schema, connections: 1, timeoutMs: leaseMs, onLost: connectionLost })
  const database = openDatabase({ url, schema, connections: options.connections, onLost: connectionLost })
  const { schema: s } = database
  const wanted = new Map<string, Wanted>()
  const terms = createTerms({ monotonic, onLost: (forwarder, token) => { events.onLost(forwarder, token) } })
  const paused = new Map<string, boolean>()
  const { sound, ...reads } = createReads(database, logger)
  let events: ForwardEvents
  let wake = (): void => {}
  let begun: Promise<unknown> | undefined
  /** The last sequence that feeds know of. They learn at once what this replica stores, before a poll finds it. */
  let announced = 0
  let failure: string | undefined
  let polled = { sequence: 0, replay: 0, server: '' }

  /** What was read on a lost connection may come from another server that issues the same sequences again, so all terms end. */
  function connectionLost (): void {
    terms.loseAll()
  }

  async function renew (): Promise<void> {
    const names = [...wanted.keys()]
    await Promise.all([...wanted.values()].map(async ({ registered }) => { await registered }))
    const sentAt = monotonic()
    const rows = await leasing.query<RenewedRow>(`SELECT * FROM ${s}.renew_1($1, $2, $3, $4, $5, $6)`, [member.id, member.name, leaseMs, options.forwarders, names, options.atHome])
    terms.extend(sentAt + leaseMs - MARGIN_MS)
    for (const row of rows) {
      const token = terms.tokenOf(row.name)
      if (token !== undefined && (row.holder !== member.id || row.token !== token)) terms.lose(row.name, token)
      if (row.paused !== (paused.get(row.name) ?? false)) {
        paused.set(row.name, row.paused)
        events.onPaused(row.name, row.paused)
      }
      if (row.taken) await begin(row)
      // This replica still holds a forwarder whose term has ended, and has not taken it again. Give it up, because otherwise no other replica
      // can lead it while this one runs.
      else if (row.holder === member.id && terms.tokenOf(row.name) === undefined) await giveUp(row.name, row.token)
    }
    const share = rows[0]?.share ?? Infinity
    const sharing = terms.forwarders().filter((name) => !options.atHome.includes(name))
    for (const name of sharing.slice(share)) events.onYield(name, terms.tokenOf(name) ?? 0)
  }

  async function begin ({ name, token, paused }: RenewedRow): Promise<void> {
    const waiting = wanted.get(name)
    wanted.delete(name)
    if (waiting === undefined) return await giveUp(name, token)
    try {
      const [row] = await database.query<{ cursor: number, position: string | null }>(`SELECT cursor, position FROM ${s}.forwarders WHERE name = $1`, [name])
      const cursor = row?.cursor ?? 0
      const settled = await database.query<{ sequence: number }>(`SELECT sequence FROM ${s}.waiting WHERE forwarder = $1 AND replay = 0 AND sequence > $2
        UNION SELECT sequence FROM ${s}.dead_letters WHERE forwarder = $1 AND sequence > $2
        UNION SELECT sequence FROM ${s}.attempts WHERE sequence > $2 AND sequence <= $2 + ${DISCARDED_WITHIN} AND forwarder = $1 AND outcome = 'discarded' ORDER BY sequence`, [name, cursor])
      terms.begin(name, token)
      waiting.resolve({ term: token, cursor, position: row?.position ?? null, paused, settled: Float64Array.from(settled, ({ sequence }) => sequence) })
    } catch (error) {
      // The next renewal takes it again.
      wanted.set(name, waiting)
      throw error
    }
  }

  async function poll (): Promise<void> {
    const [row] = await database.query<typeof polled>(`SELECT (SELECT value FROM ${s}.counters WHERE name = 'sequence') AS sequence, (SELECT value FROM ${s}.counters WHERE name = 'replay') AS replay,
      ${s}.timeline() || pg_postmaster_start_time() AS server`)
    if (row === undefined) return
    const before = polled
    polled = row
    if (before.server !== '' && (row.server !== before.server || row.sequence < before.sequence)) {
      announced = 0
      terms.loseAll()
    }
    announce(row.sequence)
    if (row.replay !== before.replay) events.onReplays()
  }

  function announce (sequence: number, page?: FreshPage): void {
    // Feeds know of these deliveries already. Pass a page on all the same, because they may not have read it yet.
    if (sequence <= announced && page === undefined) return
    announced = Math.max(announced, sequence)
    events.onMore(page)
  }

  /**
   * Repeats `work` until the engine closes, every `everyMs` milliseconds, or at once when woken. Calls `tell` after each run, with the error or
   * `undefined`.
   */
  async function repeatUntilStopped (everyMs: number, work: () => Promise<void>, tell: (error: unknown) => void, wakes: (wake: () => void) => void = () => {}): Promise<void> {
    while (!stop.signal.aborted) {
      const woken = new AbortController()
      const end = (): void => { woken.abort() }
      stop.signal.addEventListener('abort', end)
      wakes(end)
      await work().then(() => { tell(undefined) }, tell)
      await pause(everyMs, woken.signal)
      stop.signal.removeEventListener('abort', end)
    }
  }

  function logRenewal (error: unknown): void {
    const reason = error === undefined ? undefined : storageReason(error)
    if (error instanceof DatabaseError && error.code === 'DATABASE_READ_ONLY') database.reconnect()
    if (reason === undefined && failure !== undefined) logger.info('leases renewed again')
    else if (reason !== failure && !stop.signal.aborted) logger.error({ err: error, ...storageFields(error) }, 'lease cannot be renewed')
    failure = reason
  }

  function start (): void {
    begun ??= Promise.all([
      repeatUntilStopped(RENEW_MS, renew, logRenewal, (woken) => { wake = woken }),
      // The renewal reports a database that cannot be reached.
      repeatUntilStopped(POLL_MS, async () => { if (terms.forwarders().length > 0) await poll() }, () => {})
    ])
  }

  async function register ({ forwarder, start, filter }: Pick<FeedOptions, 'forwarder' | 'start' | 'filter'>): Promise<void> {
    // Use the time of the request, so that the forwarder misses nothing accepted from now on, even if the database cannot be reached for long.
    const since = start === 'now' ? options.now() : null
    for (let attempt = 1; ; attempt++) {
      try {
        await database.query(`SELECT ${s}.register_1($1, $2, $3)`, [forwarder, since, filter ?? null])
        return
      } catch (error) {
        if (stop.signal.aborted) return
        if (attempt === 1) logger.error({ err: error, ...storageFields(error), forwarder }, 'forwarder cannot be registered')
        await pause(RENEW_MS, stop.signal)
      }
    }
  }

  async function giveUp (forwarder: string, token: number): Promise<void> {
    terms.forget(forwarder, token)
    await database.query(`UPDATE ${s}.forwarders SET holder = NULL WHERE name = $1 AND holder = $2 AND token = $3`, [forwarder, member.id, token]).catch(() => undefined)
  }

  return {
    ...reads,
    listen (given) { events = given },
    isLeading: terms.isLeading,

    lead: async (forwarder) => await new Promise((resolve, reject) => {
      if (stop.signal.aborted) return reject(new Error('The journal is closed'))
      wanted.set(forwarder.forwarder, { registered: register(forwarder), resolve, reject })
      start()
      wake()
    }),

    giveUp,

    async save (progress) {
      const led = progress.filter(({ forwarder, term }) => terms.isLeading(forwarder, term))
      if (led.length === 0) return progress.map(() => 'lost')
      const [row] = await database.query<{ results: readonly SaveResult[] }>(`SELECT ${s}.save_2($1, $2) AS results`, [member.id, packCommits(led)])
      return progress.map((each) => row?.results[led.indexOf(each)] ?? 'lost')
    },

    stored (batch) {
      const { after, count } = batch
      // The page is not all if a poll has already found deliveries that other replicas stored after these.
      announce(after + count, terms.forwarders().length === 0 ? undefined : { after, found: { ...unpackDeliveries(batch, sound), isAll: after + count >= announced } })
    },

    async close () {
      stop.abort()
      terms.close()
      wake()
      for (const { reject } of wanted.values()) reject(new Error('The journal is closed'))
      wanted.clear()
      await begun
      await leasing.query(`WITH gone AS (DELETE FROM ${s}.members WHERE id = $1) UPDATE ${s}.forwarders SET holder = NULL WHERE holder = $1`, [member.id]).catch(() => undefined)
      await Promise.all([leasing.close(), database.close()])
    }
  }
}
