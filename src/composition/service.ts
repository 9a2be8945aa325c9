import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { allTokens } from '../config/decode-token.js'
import type { Settings } from '../config/settings.js'
import { startDeliveryThread, type StartDelivery } from './delivery-host.js'
import { superviseDelivery, type SupervisedForwarder } from './delivery-supervisor.js'
import { createRemoteOperator, type StartOperatorThread } from './remote-operator.js'
import { reservedFiles } from './reserved-files.js'
import { openOperator } from './open-store.js'
import { createPostgresJournal, sharedJournal } from './postgres-journal.js'
import { createSharedObservations } from '../journal/postgres/observations.js'
import { createSharedSwitchOnLimit } from '../journal/postgres/switched-on.js'
import { createObservationsFile } from '../sender-watch/observations-file.js'
import { createSqliteJournal, type SqliteJournal, type StartStore } from './sqlite-journal.js'
import type { AcceptJournal } from '../journal/journal.js'
import { readForwarderSpecs } from './configured-forwarders.js'
import { systemClock, type Clock } from '../delivery/clock.js'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import { createNewId } from '../delivery/new-id.js'
import { tellAll, type Observer } from '../delivery/observation.js'
import { within } from '../delivery/within.js'
import { describeServiceApi } from './describe-service-api.js'
import type { LineOutput } from '../forwarders/log-forwarder.js'
import type { ForwarderSummary } from '../forwarders/describe-forwarder.js'
import { createApp } from '../ingress/app.js'
import { createLateness } from '../ingress/lateness.js'
import { listenAddress } from '../http/listener.js'
import { createActionList } from '../admin-api/action-list.js'
import { createAdminApp } from '../admin-api/admin-app.js'
import type { App } from '../http/app.js'
import { findNeeds } from '../admin-api/needs.js'
import { createLastOutcomes } from '../admin-api/last-outcomes.js'
import { createLiveFeed } from '../admin-api/live-feed.js'
import type { Status } from '../admin-api/status.js'
import type { Watchdog } from '../sender-watch/watchdog.js'
import { watchdogSettings } from '../config/watchdog-settings.js'
import { createWatch } from './watch.js'
import { addPageRoutes } from '../admin-api/page-routes.js'
import { notWatching } from '../sender-watch/webhook-status.js'
import { createSourceFilter } from '../voucherify/source-addresses.js'

export interface ServiceOptions {
  readonly settings: Settings
  readonly logger: Logger
  /** Where the log forwarder's lines go. */
  readonly logDestination: LineOutput
  readonly clock?: Clock
  /** What the http forwarder calls itself by. */
  readonly version?: string
  /** Where the http forwarder's proxy is looked up: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** What the file of forwarders may refer to; the environment where absent. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  /** The path of the environment file that the settings are from, if there is one. */
  readonly envFile?: string | undefined
  /** How the store, those who forward and the operator are started; as worker threads where absent. */
  readonly threads?: ServiceThreads
  /** Told of what happens, beside the service's own observers. */
  readonly observer?: Observer
  /** The port that the operator's listener takes instead of `ADMIN_PORT`, where that does not turn it off; 0 is any free one. */
  readonly adminPort?: number
}

export interface ServiceThreads {
  readonly startStore: StartStore
  readonly startDelivery: StartDelivery
  readonly startOperator: StartOperatorThread
}

export interface Service {
  /** Resolves once webhooks are taken. Where it rejects, what was opened is closed. Idempotent. */
  readonly start: () => Promise<StartedService>
  /**
   * Stops listening, answers what is in flight, finishes the attempts under way. Idempotent. Where one part fails to close, the others are
   * closed all the same, and it rejects with the first failure.
   */
  readonly close: () => Promise<void>
}

export interface StartedService {
  /** Where webhooks are taken. */
  readonly url: string
  /** Where the operator's listener is; absent where it is turned off. */
  readonly adminUrl?: string
  readonly forwarders: ReadonlyArray<Pick<ForwarderSummary, 'name' | 'type' | 'destination'>>
}

/** The operator's listener can't listen; the cause tells why. */
export class OperatorListenerError extends Error {
  override readonly name = 'OperatorListenerError'
}

const DAY_MS = 86_400_000
/** How long the end waits for a thread that has closed all that it had open, and until when after its time is over, in milliseconds. */
const THREAD_EXIT_MS = 500

/**
 * Composes the service: settings in, a service that can be started out. Nothing is opened before `start`.
 * @throws {ConfigurationError} for what is wrong with the configured forwarders
 */
export function createService ({ settings, logger, logDestination, clock = systemClock, version = 'unknown', environment = {}, variables = environment, envFile, threads, observer: other = {}, adminPort = settings.ADMIN_PORT }: ServiceOptions): Service {
  const dataDir = resolve(settings.DATA_DIR)
  const startedAt = clock.now()
  // First, because it is here that the configuration can still turn out to be wrong.
  const configured = readForwarderSpecs(settings, variables)
  const shared = sharedJournal(settings)
  let watchdog: Watchdog | undefined
  const operator = shared === undefined
    ? createRemoteOperator({ dataDir, logger, ...(threads === undefined ? {} : { start: threads.startOperator }) })
    : { ...openOperator({ dataDir, journal: shared }), letGo: async () => {} }
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
    webhookStatus: () => watchdog?.status() ?? notWatching,
    metrics: settings.ADMIN_PORT !== 0
  })
  const observer = tellAll([watch.observer, lastOutcomes.observer, liveFeed.observer, other])
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
  const journalOptions = {
    dataDir,
    logger,
    clock,
    onCommit: observer.committed,
    dedupeWindowMs: settings.DEDUPE_WINDOW_DAYS * DAY_MS,
    retention: { maxAgeMs: settings.RETENTION_DAYS * DAY_MS, quarantineMaxAgeMs: settings.RETENTION_QUARANTINE_DAYS * DAY_MS, maxBytes: settings.RETENTION_MAX_BYTES },
    onEvicted: observer.quarantineEvicted
  }
  const journal: AcceptJournal & Partial<SqliteJournal> = shared !== undefined
    ? createPostgresJournal({ ...journalOptions, shared, onStored: delivery.stored })
    : createSqliteJournal({
      ...journalOptions,
      ...(threads === undefined ? {} : { startStore: threads.startStore }),
      readers: {
        storeOpened: delivery.storeOpened,
        setVisible: delivery.setVisible,
        checkpoint: delivery.checkpoint,
        letGo: async () => { await Promise.all([delivery.letGo(), operator.letGo()]) }
      }
    })
  const app = createApp({
    logger,
    journal,
    newId: createNewId(clock.now),
    now: clock.now,
    lateness: createLateness({ windowMs: settings.DEDUPE_WINDOW_DAYS * DAY_MS, clock, logger }),
    dedupeUnidentifiedMs: settings.DEDUPE_UNIDENTIFIED_SECONDS * 1000,
    bodyLimitBytes: settings.BODY_LIMIT_BYTES,
    trustProxy: settings.TRUST_PROXY,
    secrets: settings.VOUCHERIFY_WEBHOOK_SECRETS,
    hostNames: [settings.HOST, ...(settings.PUBLIC_URL === undefined ? [] : [new URL(settings.PUBLIC_URL).hostname])],
    requiredHeaders: settings.REQUIRED_HEADERS,
    sourceFilter: settings.ALLOWED_SOURCES.length === 0
      ? undefined
      : { allows: createSourceFilter(settings.ALLOWED_SOURCES), mode: settings.ALLOWED_SOURCES_MODE },
    policy: { invalid: settings.INVALID_EVENTS, unvalidated: settings.UNVALIDATED_EVENTS, rawPayloads: settings.RAW_PAYLOADS },
    customWebhooks: settings.CUSTOM_WEBHOOKS,
    readiness: watch.readiness,
    onAnswer: observer.webhookAnswered
  })
  const createOperatorApp = (): App => createAdminApp({
    logger,
    host: settings.ADMIN_HOST,
    tokens: allTokens(settings),
    // Where anybody is believed, it is the proxy of the webhooks that nobody comes past: that says nothing of who reaches this listener.
    trustProxy: Array.isArray(settings.TRUST_PROXY) ? settings.TRUST_PROXY : [],
    operator,
    status,
    metrics: watch.metrics,
    drift: watch.drift,
    resetDrift: watch.resetDrift,
    retryBudget: watch.retryBudget,
    missingEvents: watch.missingEvents,
    history: watch.history,
    showNames: settings.PAGE_SHOWS_NAMES,
    webhookStatus: watch.webhookStatus,
    forwarders: () => running,
    lastOutcome: lastOutcomes.of,
    onChange: liveFeed.changed,
    onAction: actionList.add,
    actions: actionList.recent,
    now: clock.now,
    monotonic: clock.monotonic,
    liveFeed,
    describe: async () => await describeServiceApi({ version }),
    addPage: (app) => { addPageRoutes(app, { directory: new URL('../page/', import.meta.url) }) }
  })
  const adminApp = settings.ADMIN_PORT === 0 ? undefined : createOperatorApp()
  let starting: Promise<StartedService> | undefined
  let closing: Promise<void> | undefined

  async function status (): Promise<Status> {
    const [reasons, lastSequence, storeBytes, diskFreeBytes, store] = await Promise.all([
      watch.readiness(), operator.lastSequence().catch(() => null), watch.disk.storeBytes(), watch.disk.freeBytes(), watch.store()
    ])
    const sum = (count: (forwarder: KnownForwarder) => number): number | null => store?.forwarders.reduce((total, each) => total + count(each), 0) ?? null
    return {
      version,
      startedAt: new Date(startedAt).toISOString(),
      ready: reasons.length === 0,
      reasons: [...reasons],
      lastSequence,
      storeBytes: storeBytes ?? null,
      diskFreeBytes: diskFreeBytes ?? null,
      needs: [...findNeeds({
        reasons, store, running, failingSince: watch.failingSince, retryBudget: watch.retryBudget(), missingEvents: watch.missingEvents(), webhookStatus: watch.webhookStatus(), now: clock.now()
      })],
      counts: { backlog: sum(({ pending, retrying }) => pending + retrying), deadLetters: sum(({ dead }) => dead), quarantined: store?.quarantined ?? null }
    }
  }

  /** What waits for a forwarder that was removed or renamed waits for ever, and so somebody is to know. */
  async function reportUnconfigured (): Promise<void> {
    try {
      const left = await operator.forwarders({ except: configured.specs.map(({ spec }) => spec.name) })
      for (const { name, pending, retrying } of left) logger.warn({ forwarder: name, pending: pending + retrying }, 'forwarder not configured')
    } catch (error) {
      logger.error({ err: error }, 'forwarders that are not configured not counted')
    }
  }

  async function listenForOperator (): Promise<string | undefined> {
    if (adminApp === undefined) return undefined
    try {
      const adminUrl = await adminApp.listen({ host: await listenAddress(settings.ADMIN_HOST), port: adminPort, listenTextResolver: (address) => `operator's http server listens at ${address}` })
      logger.info({ url: adminUrl, token: allTokens(settings).length > 0 }, 'operator\'s listener listening')
      return adminUrl
    } catch (error) {
      throw new OperatorListenerError('The operator\'s listener cannot listen', { cause: error })
    }
  }

  /** What connects to Voucherify takes long to load, and most services ask for no watchdog. */
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
    // Before what may take its time: what is wrong can be looked at.
    const adminUrl = await listenForOperator()
    const forwarding = delivery.begin().then(reportUnconfigured)
    if (journal.isOpen()) await forwarding
    // The disk does not let it open yet: webhooks are answered 503 until it does, and then the forwarders start too.
    else forwarding.catch((error: unknown) => { if (closing === undefined) logger.fatal({ err: error }, 'forwarders not started') })
    const url = await app.listen({ host: await listenAddress(settings.HOST), port: settings.PORT, listenTextResolver: (address) => `http server listens at ${address}` })
    return { url, ...(adminUrl === undefined ? {} : { adminUrl }), forwarders: running.map(({ name, type, destination }) => ({ name, type, destination })) }
  }

  async function close (): Promise<void> {
    const deadline = clock.monotonic() + settings.SHUTDOWN_TIMEOUT_MS
    // A sender that keeps a request open must not use up the time of the forwarders.
    const cut = setTimeout(() => { app.server.closeAllConnections() }, settings.SHUTDOWN_TIMEOUT_MS / 2)
    const failures: unknown[] = []
    const tolerate = async (part: string, closed: Promise<void> | undefined): Promise<void> => {
      try {
        await closed
      } catch (error) {
        failures.push(error)
        logger.error({ err: error, part }, 'part of the service failed to close')
      }
    }
    await Promise.all([tolerate('webhook listener', app.close()), tolerate('operator listener', adminApp?.close())])
    clearTimeout(cut)
    await tolerate('forwarders', delivery.close(Math.max(0, deadline - clock.monotonic())))
    // Before the folder may be another's.
    await Promise.all([tolerate('watch', watch.close()), tolerate('watchdog', watchdog?.close()), tolerate('list of actions', actionList.close())])
    // The journal last: it leaves all in the database, which nobody else may be reading then.
    await tolerate('operator', operator.close())
    await tolerate('journal', journal.close())
    // What hangs in somebody's code, or in a name look-up, is left to the end of the process.
    await within(Math.min(THREAD_EXIT_MS, deadline + THREAD_EXIT_MS - clock.monotonic()), delivery.exited())
    if (failures.length > 0) throw failures[0]
  }

  return {
    async start () {
      starting ??= open().catch(async (error: unknown) => {
        closing ??= close()
        await closing
        throw error
      })
      return await starting
    },

    async close () {
      closing ??= close()
      await closing
    }
  }
}
