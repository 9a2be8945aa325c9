import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import type { Settings } from './config/settings.js'
import { systemClock, type Clock } from './delivery/clock.js'
import { createDispatcher } from './delivery/dispatcher.js'
import type { Forwarder } from './delivery/forwarder.js'
import { createPump } from './delivery/pump.js'
import { createFileForwarder } from './forwarders/file/file-forwarder.js'
import { createHttpForwarder } from './forwarders/http-forwarder.js'
import { createLogForwarder, type LineOutput } from './forwarders/log-forwarder.js'
import { createApp } from './ingress/app.js'
import { createSqliteJournal } from './journal/sqlite/sqlite-journal.js'
import { createSourceFilter } from './voucherify/source-addresses.js'

export interface ServiceOptions {
  readonly settings: Settings
  readonly logger: Logger
  /** Where the log forwarder's lines go. */
  readonly logDestination: LineOutput
  readonly clock?: Clock
}

export interface Service {
  /** Resolves once webhooks are taken, with the URL at which. */
  readonly start: () => Promise<{ readonly url: string }>
  /** Stops listening, answers what is in flight, finishes the attempts under way. Idempotent. */
  readonly close: () => Promise<void>
}

const DAY_MS = 86_400_000
/** Failures in a row after which a forwarder pauses. */
const BREAKER_THRESHOLD = 5

/** Composes the service: settings in, a service that can be started out. Nothing is opened before `start`. */
export function createService ({ settings, logger, logDestination, clock = systemClock }: ServiceOptions): Service {
  const dataDir = resolve(settings.DATA_DIR)
  const journal = createSqliteJournal({
    dataDir,
    logger,
    clock,
    dedupeWindowMs: settings.DEDUPE_WINDOW_DAYS * DAY_MS,
    retention: { maxAgeMs: settings.RETENTION_DAYS * DAY_MS, maxBytes: settings.RETENTION_MAX_BYTES }
  })
  const app = createApp({
    logger,
    journal,
    newId: uuidv7,
    now: clock.now,
    bodyLimitBytes: settings.BODY_LIMIT_BYTES,
    trustProxy: settings.TRUST_PROXY,
    secrets: settings.VOUCHERIFY_WEBHOOK_SECRETS,
    requiredHeaders: settings.REQUIRED_HEADERS,
    sourceFilter: settings.ALLOWED_SOURCES.length === 0
      ? undefined
      : { allows: createSourceFilter(settings.ALLOWED_SOURCES), mode: settings.ALLOWED_SOURCES_MODE },
    policy: { invalid: settings.INVALID_EVENTS, unvalidated: settings.UNVALIDATED_EVENTS }
  })
  const dispatcher = createDispatcher(settings.FORWARDERS.map((kind) => createPump({
    forwarder: createForwarder(kind),
    journal,
    start: 'now',
    accepts: () => true,
    retry: { minMs: settings.RETRY_MIN_MS, maxMs: settings.RETRY_MAX_MS, giveUpMs: settings.RETRY_GIVE_UP_MS },
    breakerThreshold: BREAKER_THRESHOLD,
    clock,
    random: Math.random,
    logger
  })))
  let closing: Promise<void> | undefined

  function createForwarder (kind: Settings['FORWARDERS'][number]): Forwarder {
    switch (kind) {
      case 'log':
        return createLogForwarder({ name: kind, output: logDestination, withData: settings.LOG_FORWARDER_DATA })
      case 'file':
        return createFileForwarder({
          name: kind,
          path: settings.FILE_FORWARDER_PATH ?? resolve(dataDir, 'events.ndjson'),
          rotateBytes: settings.FILE_FORWARDER_ROTATE_BYTES,
          keepDays: settings.FILE_FORWARDER_KEEP_DAYS,
          now: clock.now,
          logger
        })
      case 'http':
        // The loader has seen to it that a configured http forwarder has a URL.
        return createHttpForwarder({ name: kind, url: settings.HTTP_FORWARDER_URL ?? '', timeoutMs: settings.HTTP_FORWARDER_TIMEOUT_MS })
    }
  }

  return {
    async start () {
      await journal.start()
      await dispatcher.start()
      return { url: await app.listen({ host: settings.HOST, port: settings.PORT, listenTextResolver: (address) => `http server listens at ${address}` }) }
    },

    async close () {
      closing ??= (async () => {
        const deadline = clock.monotonic() + settings.SHUTDOWN_TIMEOUT_MS
        await app.close()
        await dispatcher.close(Math.max(0, deadline - clock.monotonic()))
        await journal.close()
      })()
      await closing
    }
  }
}
