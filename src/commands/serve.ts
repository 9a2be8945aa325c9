import { resolve } from 'node:path'
import { ConfigurationError } from '../config/configuration-error.js'
import { loadSettings, loadVariables } from '../config/load-settings.js'
import { within } from '../delivery/within.js'
import type { CommandContext, StopSignal } from './context.js'
import { exitCodes, signalNumbers } from './command-line.js'
import { explainStartFailure } from './explain-start-failure.js'
import { logEvents } from '../composition/log-events.js'
import { createLogger, lineDestination, readableDestination } from '../composition/logger.js'
import { settingsSource } from './read-env-file.js'
import { startBanner } from './start-banner.js'
import { startWarnings } from './start-warnings.js'
import { createPaint, isColourful } from '../terminal/output.js'

export interface ServeOptions {
  readonly envFile?: string | undefined
}

/** How much longer than SHUTDOWN_TIMEOUT_MS to wait for the service to close, in milliseconds. */
const closeGraceMs = 1000
/** How long the last log lines may take to be written, in milliseconds. A pipe that is not read would block them for ever. */
const logCloseLimitMs = 1000

/** Resolves with whether `work` ends within `limitMs` milliseconds. Rejects if `work` rejects in time. */
async function endsWithin (work: Promise<unknown>, limitMs: number): Promise<boolean> {
  return await within(limitMs, work.then(() => true)) === true
}

/**
 * Runs the service until a signal stops it; resolves with the exit code. A second signal ends the process at once.
 * @throws ConfigurationError, UsageError
 */
export async function serve (context: CommandContext, options: ServeOptions): Promise<number> {
  const source = await settingsSource(context, options)
  const { envFile } = source
  const settings = loadSettings(source)
  const warnings = startWarnings(context, settings, envFile)
  const log = context.openLog()
  const colour = isColourful(context.stdout, context)
  const forPerson = settings.LOG_FORMAT === 'lines' || (settings.LOG_FORMAT === 'auto' && context.stdout.isTTY === true)
  const eventsTold = ['info', 'debug', 'trace'].includes(settings.LOG_LEVEL)
  const logDestination = forPerson ? lineDestination(log, { colour, eventsTold }) : readableDestination(log)
  const logger = createLogger(settings.LOG_LEVEL, logDestination, settings.LOG_REDACT)

  let stopping = false
  let requestStop: (signal: StopSignal) => void = () => {}
  const stopRequested = new Promise<StopSignal>(resolve => { requestStop = resolve })
  const unsubscribe = context.onStopSignal(signal => {
    if (stopping) {
      log.abandon()
      context.exit(128 + signalNumbers[signal])
      return
    }
    stopping = true
    requestStop(signal)
  })

  try {
    for (const { variable, message } of warnings) logger.warn({ variable, reason: message }, 'configuration warning')
    const service = await context.createService({
      settings,
      logger,
      logDestination,
      variables: loadVariables(source),
      ...envFile === undefined ? {} : { envFile: resolve(context.directory, envFile.path) },
      ...forPerson ? { observer: logEvents(logger) } : {}
    })
    const started = service.start()
    const first = await Promise.race([started, stopRequested])
    if (typeof first === 'object') {
      logger.info({ url: first.url, version: context.version }, 'listening')
      if (forPerson && eventsTold) log.write(startBanner(first, { settings, dataDir: resolve(context.directory, settings.DATA_DIR), version: context.version, paint: createPaint(colour) }))
    }

    const signal = await stopRequested
    logger.info({ signal, timeoutMs: settings.SHUTDOWN_TIMEOUT_MS }, 'stopping')
    // A signal during the start waits for the start, because a half-started service cannot be closed in order.
    const closed = started.then(() => service.close())
    if (await endsWithin(closed, settings.SHUTDOWN_TIMEOUT_MS + closeGraceMs)) {
      logger.info({ signal }, 'stopped')
      return exitCodes.ok
    }
    logger.error({ timeoutMs: settings.SHUTDOWN_TIMEOUT_MS }, 'stop timed out')
    return exitCodes.failure
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    if (stopping) {
      logger.error({ err: error }, 'stop failed')
    } else {
      logger.debug({ err: error }, 'start failed')
      context.stderr.write(`tierhook: ${explainStartFailure(error, settings)}\n`)
    }
    return exitCodes.failure
  } finally {
    if (!await endsWithin(log.close(), logCloseLimitMs)) log.abandon()
    unsubscribe()
  }
}
