import type { Logger } from 'pino'
import { ConfigurationError, type ConfigurationFault } from '../config/configuration-error.js'
import { openForwarders, type ForwarderSpecs } from './configured-forwarders.js'
import { makeLater } from './make-later.js'
import type { BreakerState } from '../delivery/circuit-breaker.js'
import type { Clock } from '../delivery/clock.js'
import { createDispatcher, type Dispatcher } from '../delivery/dispatcher.js'
import type { EndedAttempts } from '../delivery/observation.js'
import { createLedPump } from '../delivery/led-pump.js'
import { createPump, type Pump, type PumpOptions } from '../delivery/pump.js'
import type { RetryPolicy } from '../delivery/retry-policy.js'
import { describeForwarder, type ForwarderSummary } from '../forwarders/describe-forwarder.js'
import type { ReservedFile } from '../forwarders/file/file-conflicts.js'
import type { LineOutput } from '../forwarders/log-forwarder.js'
import type { ConfiguredForwarder } from '../forwarders/registry.js'
import type { ForwardEngine } from '../journal/engine.js'
import { createFeeds, type Feeds } from '../journal/feeds.js'
import { createPostgresForwardEngine, type PostgresForwardEngine } from '../journal/postgres/forward-engine.js'
import type { StoredBatch } from '../journal/postgres/pack-deliveries.js'
import { lockFile } from '../journal/sqlite/file-lock.js'
import { createSqliteForwardEngine, type OpenedStore, type SqliteForwardEngine } from '../journal/sqlite/forward-engine.js'
import type { SharedJournal } from './postgres-journal.js'

/** What the deliver thread needs to know at its start. All of it can be cloned to another thread. */
export interface DeliveryConfig {
  readonly configured: ForwarderSpecs
  readonly retry: RetryPolicy
  /** Paths that log lines hide. */
  readonly redact: readonly string[]
  readonly version: string
  /** Environment in which the http forwarder looks up its proxy. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly reservedFiles: readonly ReservedFile[]
  /** The number of this deliver thread: greater than those of all deliver threads before it in this process. */
  readonly term: number
  /**
   * How long custom forwarders wait before they are loaded, in milliseconds. One of them may have ended the previous deliver thread. 0 at the first
   * start: the modules are then loaded at once, and a module that cannot be loaded is a fault.
   */
  readonly customAfterMs: number
  /**
   * The database that replicas share; `undefined` if the journal is in the data folder. With a shared database, a forwarder runs only on the
   * replica that leads it.
   */
  readonly shared?: SharedJournal | undefined
}

export interface ForwarderStatus {
  readonly name: string
  readonly breaker: BreakerState
  /** Absent: as before. */
  readonly paused?: boolean | undefined
  /** Whether this replica leads the forwarder; absent if there are no replicas. */
  readonly leads?: boolean
}

/** Callbacks and output of the deliver thread. */
export interface DeliveryHost {
  readonly logger: Logger
  /** Output for the lines of log forwarders. */
  readonly output: LineOutput
  readonly clock: Clock
  readonly onAttempts: (attempts: EndedAttempts) => void
  readonly onStatus: (status: ForwarderStatus) => void
  /** Called with the error of a damaged page of the database. */
  readonly onDamage: (error: unknown) => void
}

export type OpenedForwarders =
  | { readonly ok: true, readonly forwarders: readonly ForwarderSummary[] }
  | { readonly ok: false, readonly faults: readonly ConfigurationFault[] }

/** Everything that forwards: the forwarders, their pumps and their feeds. */
export interface Delivery {
  /** Makes the forwarders, but does not start them. */
  readonly openForwarders: (config: DeliveryConfig) => Promise<OpenedForwarders>
  /**
   * Claims for this process what forwarders must have for themselves. Rejects if another process has it. Does nothing with a shared database:
   * there each forwarder claims when this replica leads it.
   */
  readonly claim: () => Promise<void>
  readonly storeOpened: (opened: OpenedStore) => void
  readonly setVisible: (sequence: number) => void
  /** Tells the engine of a shared database what this replica has stored. */
  readonly stored: (batch: StoredBatch) => void
  readonly closeDatabase: () => void
  readonly checkpoint: () => void
  /** Starts the forwarders when the store is open. */
  readonly begin: () => Promise<void>
  readonly pause: (forwarder: string) => void
  readonly resume: (forwarder: string) => void
  /** Begins no new attempts and waits for those under way, for `timeoutMs` at most. Idempotent. */
  readonly close: (options: { readonly timeoutMs: number }) => Promise<void>
}

/** Failures in a row after which a forwarder pauses. */
const BREAKER_THRESHOLD = 5
/**
 * How long a forwarder may fail to start on one replica before another one gets a turn, in milliseconds. Its destination may be reachable from
 * there.
 */
const START_LIMIT_MS = 30_000

export function createDelivery (host: DeliveryHost): Delivery {
  const { logger, clock } = host
  /** One of the two is set by `openForwarders`. */
  let sqlite: SqliteForwardEngine | undefined
  let postgres: PostgresForwardEngine | undefined
  let feeds: Feeds | undefined
  let forwarders: readonly ConfiguredForwarder[] = []
  const pumps: Pump[] = []
  let dispatcher: Dispatcher | undefined
  let startLate = async (): Promise<void> => {}
  const stop = new AbortController()

  function opened (): ForwardEngine {
    const engine = sqlite ?? postgres
    if (engine === undefined) throw new Error('The forwarders are not open')
    return engine
  }

  function createPumpFor ({ forwarder, start, accepts, filter }: ConfiguredForwarder, journal: Feeds, retry: RetryPolicy, onLost?: PumpOptions['onLost']): Pump {
    const pump: Pump = createPump({
      forwarder,
      journal,
      start,
      accepts,
      filter,
      retry,
      breakerThreshold: BREAKER_THRESHOLD,
      clock,
      random: Math.random,
      logger,
      onAttempts: host.onAttempts,
      onState: () => { host.onStatus({ name: pump.name, breaker: pump.breakerState(), paused: pump.isPaused(), ...onLost === undefined ? {} : { leads: true } }) },
      onLost,
      startContext: { unfinished: async (ids) => new Set(await opened().unfinished(forwarder.name, ids)) }
    })
    return pump
  }

  /**
   * Makes the pump of a forwarder that several replicas may lead. A forwarder can be started only once, so each term after the first makes a new
   * one.
   */
  function createLedPumpFor (first: ConfiguredForwarder, journal: Feeds, retry: RetryPolicy, make: (configured: ConfiguredForwarder['configured']) => Promise<ConfiguredForwarder>): Pump {
    let unused: ConfiguredForwarder | undefined = first
    const { name } = first.forwarder
    const pump: Pump = createLedPump({
      name,
      logger,
      // Only its home replica may lead a file forwarder, so no other replica could get a turn.
      startLimitMs: first.configured.kind === 'file' ? undefined : START_LIMIT_MS,
      onState: (leads) => { host.onStatus({ name, breaker: pump.breakerState(), paused: pump.isPaused(), leads }) },
      async create (onLost) {
        const mine = unused ?? await make(first.configured)
        unused = undefined
        const { forwarder } = mine
        // Claim only when this replica leads the forwarder. Until then another replica may hold what the forwarder needs for itself.
        const start = async (...given: Parameters<NonNullable<typeof forwarder.start>>): Promise<void> => {
          await forwarder.claim?.()
          await forwarder.start?.(...given)
        }
        return createPumpFor({ ...mine, forwarder: { ...forwarder, start } }, journal, retry, onLost)
      }
    })
    return pump
  }

  return {
    async openForwarders ({ configured, retry, redact, version, environment, reservedFiles, term, customAfterMs, shared }) {
      const make = async (specs: ForwarderSpecs['specs']): Promise<readonly ConfiguredForwarder[]> => await openForwarders({ ...configured, specs }, {
        logger,
        output: host.output,
        redact,
        version,
        environment,
        retryAfterMaxMs: retry.maxMs,
        now: clock.now,
        monotonic: clock.monotonic,
        reservedFiles,
        lockFile
      })
      const late = customAfterMs > 0 ? configured.specs.filter(({ kind }) => kind === 'module') : []
      try {
        forwarders = await make(configured.specs.filter((spec) => !late.includes(spec)))
      } catch (error) {
        if (error instanceof ConfigurationError) return { ok: false, faults: error.faults }
        throw error
      }
      const { monotonic } = clock
      if (shared === undefined) sqlite = createSqliteForwardEngine({ logger, clock, term, onDamage: host.onDamage })
      else {
        const atHome = configured.specs.filter(({ kind }) => kind === 'file').map(({ spec }) => spec.name)
        const member = { ...shared.member, id: `${shared.member.id}/${term}` }
        postgres = createPostgresForwardEngine({ ...shared, member, logger, monotonic, now: clock.now, forwarders: configured.specs.map(({ spec }) => spec.name), atHome })
      }
      const journal = createFeeds({ engine: opened(), logger, monotonic })
      feeds = journal
      const makeOne = async (spec: ConfiguredForwarder['configured']): Promise<ConfiguredForwarder> => {
        const [made] = await make([spec])
        if (made === undefined) throw new Error('The forwarder cannot be made')
        return made
      }
      const pumpOf = (each: ConfiguredForwarder): Pump => shared === undefined ? createPumpFor(each, journal, retry) : createLedPumpFor(each, journal, retry, makeOne)
      pumps.push(...forwarders.map(pumpOf))
      dispatcher = createDispatcher(pumps)
      startLate = async () => {
        await Promise.all(late.map(async (configured) => {
          const { name } = configured.spec
          // Replicas need no status of the breaker: another one may lead the forwarder.
          const onFailure = (): void => { host.onStatus(shared === undefined ? { name, breaker: 'open' } : { name, breaker: 'closed', leads: false }) }
          const made = await makeLater({ name, make: async () => await makeOne(configured), delayMs: customAfterMs, retry, logger, signal: stop.signal, onFailure })
          if (made === undefined) return
          if (stop.signal.aborted) return await made.forwarder.close?.()
          const pump = pumpOf(made)
          pumps.push(pump)
          await pump.start()
        }))
      }
      return { ok: true, forwarders: forwarders.map((each) => describeForwarder(each, configured.folder, environment)) }
    },

    async claim () {
      if (postgres !== undefined) return
      for (const { forwarder } of forwarders) await forwarder.claim?.()
    },

    storeOpened: (store) => { sqlite?.storeOpened(store) },
    setVisible: (sequence) => { sqlite?.setVisible(sequence) },
    stored: (batch) => { postgres?.stored(batch) },
    closeDatabase: () => { sqlite?.closeDatabase() },
    checkpoint: () => { sqlite?.checkpoint() },
    async begin () {
      startLate().catch((error: unknown) => { logger.fatal({ err: error }, 'forwarder stopped') })
      await dispatcher?.start()
    },
    pause: (name) => { pumps.find((pump) => pump.name === name)?.pause() },
    resume: (name) => { pumps.find((pump) => pump.name === name)?.resume() },

    async close ({ timeoutMs }) {
      stop.abort()
      try {
        await dispatcher?.close(timeoutMs)
      } finally {
        await feeds?.close()
      }
    }
  }
}
