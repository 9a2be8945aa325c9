import { resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Settings } from './config/settings.js'
import { openForwarders, readForwarderSpecs } from './configured-forwarders.js'
import { systemClock, type Clock } from './delivery/clock.js'
import { createDispatcher, type Dispatcher } from './delivery/dispatcher.js'
import { createNewId } from './delivery/new-id.js'
import { tellAll } from './delivery/observation.js'
import { createPump, type Pump } from './delivery/pump.js'
import { describeServiceApi } from './describe-service-api.js'
import { describeForwarder } from './forwarders/describe-forwarder.js'
import type { LineOutput } from './forwarders/log-forwarder.js'
import type { ConfiguredForwarder } from './forwarders/registry.js'
import { createApp } from './ingress/app.js'
import { createLateness } from './ingress/lateness.js'
import { lockFile } from './journal/sqlite/file-lock.js'
import { createRemoteOperator, type StartOperatorThread } from './journal/sqlite/remote-operator.js'
import { createSqliteJournal } from './journal/sqlite/sqlite-journal.js'
import type { JournalThreads } from './journal/sqlite/store-threads.js'
import { createAdminApp } from './operations/admin-app.js'
import type { RunningForwarder } from './operations/api-forwarders.js'
import type { AdminApp } from './operations/route-types.js'
import { createLastOutcomes } from './operations/last-outcomes.js'
import { createLiveFeed } from './operations/live-feed.js'
import type { Status } from './operations/status.js'
import { createWatch } from './operations/watch.js'
import { openWatchdog } from './open-watchdog.js'
import { addPageRoutes } from './operations/page-routes.js'
import { reservedFiles } from './reserved-files.js'
import { notWatching, type WebhookStatus } from './sender-watch/webhook-status.js'
import { createSourceFilter } from './voucherify/source-addresses.js'

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
  /** How the threads of the journal and of the operator are started; as worker threads where absent. */
  readonly threads?: ServiceThreads
  /** The port that the operator's listener takes instead of `ADMIN_PORT`, where that does not turn it off; 0 is any free one. */
  readonly adminPort?: number
}

export interface ServiceThreads extends JournalThreads {
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
}

/** The operator's listener can't listen; the cause tells why. */
export class OperatorListenerError extends Error {
  override readonly name = 'OperatorListenerError'
}

const DAY_MS = 86_400_000
/** Failures in a row after which a forwarder pauses. */
const BREAKER_THRESHOLD = 5

/**
 * Composes the service: settings in, a service that can be started out. Nothing is opened before `start`.
 * @throws {ConfigurationError} for what is wrong with the configured forwarders
 */
export function createService ({ settings, logger, logDestination, clock = systemClock, version = 'unknown', environment = {}, variables = environment, envFile, threads, adminPort = settings.ADMIN_PORT }: ServiceOptions): Service {
  const dataDir = resolve(settings.DATA_DIR)
  const startedAt = clock.now()
  // First, because it is here that the configuration can still turn out to be wrong.
  const configured = readForwarderSpecs(settings, variables)
  const watchdog = openWatchdog({ settings, dataDir, logger, clock, version, environment })
  const webhookStatus = (): WebhookStatus => watchdog?.status() ?? notWatching
  const operator = createRemoteOperator({ dataDir, logger, ...(threads === undefined ? {} : { start: threads.startOperator }) })
  const lastOutcomes = createLastOutcomes(clock.now)
  const liveFeed = createLiveFeed({ logger, lastSequence: operator.lastSequence, monotonic: clock.monotonic })
  let running: readonly RunningForwarder[] = []
  const watch = createWatch({
    dataDir,
    logger,
    clock,
    version,
    secrets: settings.VOUCHERIFY_WEBHOOK_SECRETS.length,
    diskFreeMinBytes: settings.DISK_FREE_MIN_BYTES,
    expectations: settings.EXPECT_EVENT_WITHIN,
    isStopping: () => closing !== undefined,
    journal: { isOpen: () => journal.isOpen(), probe: async () => await journal.probe() },
    store: async () => {
      const [forwarders, quarantined] = await Promise.all([operator.forwarders(), operator.countQuarantined()])
      return { forwarders, quarantined }
    },
    forwarders: () => running.map(({ name, breakerState, isPaused }) => ({ name, breakerOpen: breakerState() !== 'closed', paused: isPaused() })),
    forwarderNames: configured.specs.map(({ spec }) => spec.name),
    webhookStatus,
    metrics: settings.ADMIN_PORT !== 0
  })
  const observer = tellAll([watch.observer, lastOutcomes.observer, liveFeed.observer])
  const journal = createSqliteJournal({
    dataDir,
    logger,
    clock,
    ...(threads === undefined ? {} : { threads }),
    letGoElsewhere: operator.letGo,
    onCommit: observer.committed,
    dedupeWindowMs: settings.DEDUPE_WINDOW_DAYS * DAY_MS,
    retention: { maxAgeMs: settings.RETENTION_DAYS * DAY_MS, quarantineMaxAgeMs: settings.RETENTION_QUARANTINE_DAYS * DAY_MS, maxBytes: settings.RETENTION_MAX_BYTES },
    onEvicted: observer.quarantineEvicted
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
    requiredHeaders: settings.REQUIRED_HEADERS,
    sourceFilter: settings.ALLOWED_SOURCES.length === 0
      ? undefined
      : { allows: createSourceFilter(settings.ALLOWED_SOURCES), mode: settings.ALLOWED_SOURCES_MODE },
    policy: { invalid: settings.INVALID_EVENTS, unvalidated: settings.UNVALIDATED_EVENTS, rawPayloads: settings.RAW_PAYLOADS },
    customWebhooks: settings.CUSTOM_WEBHOOKS,
    readiness: watch.readiness,
    onAnswer: observer.webhookAnswered
  })
  const createOperatorApp = (): AdminApp => createAdminApp({
    logger,
    host: settings.ADMIN_HOST,
    token: settings.ADMIN_TOKEN,
    operator,
    status,
    metrics: watch.metrics,
    drift: watch.drift,
    patience: watch.patience,
    silence: watch.silence,
    webhookStatus,
    forwarders: () => running,
    lastOutcome: lastOutcomes.of,
    onChange: liveFeed.changed,
    liveFeed,
    describe: async () => await describeServiceApi({ version }),
    addPage: (app) => { addPageRoutes(app, { directory: new URL('./page/', import.meta.url) }) }
  })
  const adminApp = settings.ADMIN_PORT === 0 ? undefined : createOperatorApp()
  let dispatcher: Dispatcher | undefined
  let starting: Promise<StartedService> | undefined
  let closing: Promise<void> | undefined

  async function status (): Promise<Status> {
    const [reasons, lastSequence, storeBytes, diskFreeBytes] = await Promise.all([
      watch.readiness(), operator.lastSequence().catch(() => null), watch.disk.storeBytes(), watch.disk.freeBytes()
    ])
    return {
      version,
      startedAt: new Date(startedAt).toISOString(),
      ready: reasons.length === 0,
      reasons: [...reasons],
      lastSequence,
      storeBytes: storeBytes ?? null,
      diskFreeBytes: diskFreeBytes ?? null
    }
  }

  function createPumpFor ({ forwarder, start, accepts, filter }: ConfiguredForwarder): Pump {
    return createPump({
      forwarder,
      journal,
      start,
      accepts,
      filter,
      retry: { minMs: settings.RETRY_MIN_MS, maxMs: settings.RETRY_MAX_MS, giveUpMs: settings.RETRY_GIVE_UP_MS },
      breakerThreshold: BREAKER_THRESHOLD,
      clock,
      random: Math.random,
      logger,
      onAttempts: observer.attemptsEnded,
      startContext: { unfinished: async (ids) => new Set(await operator.unfinished({ forwarder: forwarder.name, ids })) }
    })
  }

  /** What waits for a forwarder that was removed or renamed waits for ever, and so somebody is to know. */
  async function reportUnconfigured (): Promise<void> {
    try {
      const left = await operator.forwarders({ except: configured.specs.map(({ spec }) => spec.name) })
      for (const { name, pending, waiting } of left) logger.warn({ forwarder: name, pending: pending + waiting }, 'forwarder not configured')
    } catch (error) {
      logger.error({ err: error }, 'forwarders that are not configured not counted')
    }
  }

  async function listenForOperator (): Promise<string | undefined> {
    if (adminApp === undefined) return undefined
    try {
      const adminUrl = await adminApp.listen({ host: settings.ADMIN_HOST, port: adminPort, listenTextResolver: (address) => `operator's http server listens at ${address}` })
      logger.info({ url: adminUrl, token: settings.ADMIN_TOKEN !== undefined }, 'operator\'s listener listening')
      return adminUrl
    } catch (error) {
      throw new OperatorListenerError('The operator\'s listener cannot listen', { cause: error })
    }
  }

  async function open (): Promise<StartedService> {
    const forwarders = await openForwarders(configured, {
      logger,
      output: logDestination,
      redact: settings.LOG_REDACT,
      version,
      environment,
      retryAfterMaxMs: settings.RETRY_MAX_MS,
      now: clock.now,
      monotonic: clock.monotonic,
      reservedFiles: reservedFiles({ settings, envFile }),
      lockFile
    })
    const pumps = forwarders.map((each) => ({ each, pump: createPumpFor(each) }))
    dispatcher = createDispatcher(pumps.map(({ pump }) => pump))
    running = pumps.map(({ each, pump }) => ({ ...pump, ...describeForwarder(each, configured.folder, environment) }))
    await journal.start()
    for (const { forwarder } of forwarders) await forwarder.claim?.()
    await watch.start()
    watchdog?.start()
    // Before what may take its time: what is wrong can be looked at.
    const adminUrl = await listenForOperator()
    const forwarding = dispatcher.start().then(reportUnconfigured)
    if (journal.isOpen()) await forwarding
    // The disk does not let it open yet: webhooks are answered 503 until it does, and then the forwarders start too.
    else forwarding.catch((error: unknown) => { if (closing === undefined) logger.fatal({ err: error }, 'forwarders not started') })
    const url = await app.listen({ host: settings.HOST, port: settings.PORT, listenTextResolver: (address) => `http server listens at ${address}` })
    return { url, ...(adminUrl === undefined ? {} : { adminUrl }) }
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
    await tolerate('forwarders', dispatcher?.close(Math.max(0, deadline - clock.monotonic())))
    // Before the folder may be another's.
    await Promise.all([tolerate('watch', watch.close()), tolerate('watchdog', watchdog?.close())])
    // The journal last: it leaves all in the database, which nobody else may be reading then.
    await tolerate('operator', operator.close())
    await tolerate('journal', journal.close())
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
