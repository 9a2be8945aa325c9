import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { createActionList } from '../admin-api/action-list.js'
import { createLastOutcomes } from '../admin-api/last-outcomes.js'
import { createLiveFeed } from '../admin-api/live-feed.js'
import type { Settings } from '../config/settings.js'
import { watchdogSettings } from '../config/watchdog-settings.js'
import { systemClock, type Clock } from '../delivery/clock.js'
import { combineObservers, type Observer } from '../delivery/observation.js'
import type { ForwarderSummary } from '../forwarders/describe-forwarder.js'
import type { LineOutput } from '../forwarders/log-forwarder.js'
import { listenAddress } from '../http/listener.js'
import { createSharedObservations } from '../journal/postgres/observations.js'
import { createSharedSwitchOnLimit } from '../journal/postgres/switched-on.js'
import { createObservationsFile } from '../sender-watch/observations-file.js'
import type { Watchdog } from '../sender-watch/watchdog.js'
import { watchdogOff } from '../sender-watch/webhook-status.js'
import { closeService } from './close-service.js'
import { readForwarderSpecs } from './configured-forwarders.js'
import { startDeliveryThread, type StartDelivery } from './delivery-host.js'
import { superviseDelivery, type SupervisedForwarder } from './delivery-supervisor.js'
import { createOperatorApp, createPublicApp } from './http-apps.js'
import { openOperator } from './open-store.js'
import { listenForOperator } from './operator-listener.js'
import { sharedJournal } from './postgres-journal.js'
import { createRemoteOperator, type StartOperatorThread } from './remote-operator.js'
import { reservedFiles } from './reserved-files.js'
import { createServiceJournal } from './service-journal.js'
import { createServiceStatus } from './service-status.js'
import type { StartStore } from './sqlite-journal.js'
import { createWatch } from './watch.js'

export interface ServiceOptions {
  readonly settings: Settings
  readonly logger: Logger
  /** Output for the log forwarder's lines. */
  readonly logDestination: LineOutput
  readonly clock?: Clock
  /** tierhook's version, which the http forwarder sends as its user agent. */
  readonly version?: string
  /** Environment in which the http forwarder looks up its proxy: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Variables that the forwarders file may refer to. If absent, the environment. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  /** The path of the environment file that settings were read from; `undefined` if there was none. */
  readonly envFile?: string | undefined
  /** How the store, the forwarders and the operator are started. If absent, as worker threads. */
  readonly threads?: ServiceThreads
  /** Called in addition to the service's own observers. */
  readonly observer?: Observer
  /** The port of the operator's listener, unless `ADMIN_PORT` turns it off; 0 means any free port. If absent, `ADMIN_PORT`. */
  readonly adminPort?: number
}

export interface ServiceThreads {
  readonly startStore: StartStore
  readonly startDelivery: StartDelivery
  readonly startOperator: StartOperatorThread
}

export interface Service {
  /** Resolves when webhooks are accepted. If it rejects, everything that was opened is closed. Idempotent. */
  readonly start: () => Promise<StartedService>
  /**
   * Stops listening, answers the requests in flight, and finishes the attempts under way. Idempotent. If one part fails to close, the other
   * parts are closed all the same, and it rejects with the first failure.
   */
  readonly close: () => Promise<void>
}

export interface StartedService {
  /** The URL at which webhooks are accepted. */
  readonly url: string
  /** The URL of the operator's listener; absent if it is turned off. */
  readonly adminUrl?: string
  readonly forwarders: ReadonlyArray<Pick<ForwarderSummary, 'name' | 'type' | 'destination'>>
}

/**
 * Composes the service from the settings. Nothing is opened before `start`.
 * @throws {ConfigurationError} if the configured forwarders are wrong
 */
export function createService ({ settings, logger, logDestination, clock = systemClock, version = 'unknown', environment = {}, variables = environment, envFile, threads, observer: other = {}, adminPort = settings.ADMIN_PORT }: ServiceOptions): Service {
  const dataDir = resolve(settings.DATA_DIR)
  // Comes first, because it throws if the configuration is wrong.
  const configured = readForwarderSpecs(settings, variables)
  const shared = sharedJournal(settings)
  let watchdog: Watchdog | undefined
  const operator = shared === undefined
    ? createRemoteOperator({ dataDir, logger, ...(threads === undefined ? {} : { start: threads.startOperator }) })
    : { ...openOperator({ dataDir, journal: shared }), closeDatabase: async () => {} }
  const actionList = createActionList({ dataDir, logger })
  const lastOutcomes = createLastOutcomes(clock.now)
  const liveFeed = createLiveFeed({ logger, lastSequence: operator.lastSequence, monotonic: clock.monotonic })
  let running: readonly SupervisedForwarder[] = []
  const watch = createWatch({
    dataDir,
    logger,
    clock,
    version,
    secrets: settings.VOUCHERIFY_WEBHOOK_SECRETS.length,
    diskFreeMinBytes: settings.DISK_FREE_MIN_BYTES,
    expectations: settings.EXPECT_EVENT_WITHIN,
    observations: shared === undefined ? createObservationsFile({ dataDir, logger, monotonic: clock.monotonic }) : createSharedObservations(shared),
    leads: () => journal.leadsUpkeep(),
    isStopping: () => closing !== undefined,
    journal: { isOpen: () => journal.isOpen(), trouble: () => journal.trouble(), waitsFor: () => journal.waitsFor(), probe: async () => await journal.probe() },
    store: async () => {
      const [forwarders, quarantined] = await Promise.all([operator.forwarders(), operator.countQuarantined()])
      return { forwarders, quarantined }
    },
    forwarders: () => running.map(({ name, breakerState, isPaused, leads }) => {
      const isLed = leads()
      return { name, breakerOpen: breakerState() !== 'closed', paused: isPaused(), ...isLed === undefined ? {} : { leads: isLed } }
    }),
    forwarderNames: configured.specs.map(({ spec }) => spec.name),
    webhookStatus: () => watchdog?.status() ?? watchdogOff,
    metrics: settings.ADMIN_PORT !== 0
  })
  const observer = combineObservers([watch.observer, lastOutcomes.observer, liveFeed.observer, other])
  const delivery = superviseDelivery({
    start: threads?.startDelivery ?? startDeliveryThread,
    logger,
    logLevel: settings.LOG_LEVEL,
    output: logDestination,
    onAttempts: observer.attemptsEnded,
    onDamage: (error) => { journal.damaged?.(error) },
    config: {
      configured,
      shared,
      retry: { minMs: settings.RETRY_MIN_MS, maxMs: settings.RETRY_MAX_MS, giveUpMs: settings.RETRY_GIVE_UP_MS },
      redact: settings.LOG_REDACT,
      version,
      environment: { ...environment },
      reservedFiles: reservedFiles({ settings, envFile })
    }
  })
  const journal = createServiceJournal({ settings, dataDir, logger, clock, shared, startStore: threads?.startStore, delivery, operator, observer })
  const status = createServiceStatus({ version, operator, watch, forwarders: () => running, now: clock.now })
  const app = createPublicApp({ settings, logger, clock, journal, watch, onAnswer: observer.webhookAnswered })
  const adminApp = settings.ADMIN_PORT === 0
    ? undefined
    : createOperatorApp({ settings, logger, clock, version, operator, watch, status, forwarders: () => running, lastOutcome: lastOutcomes.of, liveFeed, actionList })
  let starting: Promise<StartedService> | undefined
  let closing: Promise<void> | undefined

  /** Deliveries that wait for a removed or renamed forwarder wait for ever, so the operator is warned. */
  async function reportUnconfigured (): Promise<void> {
    try {
      const left = await operator.forwarders({ except: configured.specs.map(({ spec }) => spec.name) })
      for (const { name, pending, retrying } of left) logger.warn({ forwarder: name, pending: pending + retrying }, 'forwarder not configured')
    } catch (error) {
      logger.error({ err: error }, 'forwarders that are not configured not counted')
    }
  }

  /** The code that connects to Voucherify takes long to load, and most services use no watchdog. */
  async function openWatchdog (): Promise<Watchdog | undefined> {
    if (watchdogSettings(settings) === undefined) return undefined
    const switchOnLimit = shared === undefined ? undefined : createSharedSwitchOnLimit(shared)
    return (await import('./open-watchdog.js')).openWatchdog({ settings, dataDir, logger, clock, version, environment, leads: () => journal.leadsUpkeep(), switchOnLimit })
  }

  async function open (): Promise<StartedService> {
    watchdog = await openWatchdog()
    running = await delivery.openForwarders()
    await journal.start()
    await delivery.claim()
    await watch.start()
    actionList.start()
    watchdog?.start()
    // Opened before the forwarders start, which may take long, so that an operator can look at what is wrong.
    const adminUrl = adminApp === undefined ? undefined : await listenForOperator(adminApp, { settings, port: adminPort, logger })
    const forwarding = delivery.begin().then(reportUnconfigured)
    if (journal.isOpen()) await forwarding
    // The store cannot be opened yet, for example because the disk is full. Until then webhooks are answered 503. The forwarders start when it
    // opens.
    else forwarding.catch((error: unknown) => { if (closing === undefined) logger.fatal({ err: error }, 'forwarders not started') })
    const url = await app.listen({ host: await listenAddress(settings.HOST), port: settings.PORT, listenTextResolver: (address) => `http server listens at ${address}` })
    return { url, ...(adminUrl === undefined ? {} : { adminUrl }), forwarders: running.map(({ name, type, destination }) => ({ name, type, destination })) }
  }

  async function close (): Promise<void> {
    await closeService({ app, adminApp, delivery, watch, watchdog, actionList, operator, journal, logger, clock, timeoutMs: settings.SHUTDOWN_TIMEOUT_MS })
  }

  return {
    async start () {
      starting ??= open().catch(async (error: unknown) => {
        await (closing ??= close())
        throw error
      })
      return await starting
    },

    async close () {
      await (closing ??= close())
    }
  }
}
