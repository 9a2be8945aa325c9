import { loadClientSettings } from '../config/load-settings.js'
import type { CommandContext } from './context.js'
import { errorCode } from '../errors/system-code.js'
import { exitCodes, UsageError } from './command-line.js'
import { settingsSource } from './read-env-file.js'
import { serviceUrl } from '../config/addresses.js'

export interface HealthOptions {
  readonly envFile?: string | undefined
}

const limitMs = 2000

/**
 * Asks the service within two seconds whether it is alive. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function health (context: CommandContext, options: HealthOptions): Promise<number> {
  const settings = loadClientSettings(await settingsSource(context, options))
  if (settings.PORT === 0) throw new UsageError('PORT is 0, so the service\'s port is not known: set PORT to a fixed one')
  const url = `${serviceUrl(settings.HOST, settings.PORT)}/health/live`
  // Imported here only: a service without an HTTP destination starts 20 % faster without undici.
  const { Agent, request } = await import('undici')
  const dispatcher = new Agent({ pipelining: 0 })
  try {
    const { statusCode } = await request(url, { dispatcher, signal: AbortSignal.timeout(limitMs) })
    const alive = statusCode >= 200 && statusCode < 300
    context[alive ? 'stdout' : 'stderr'].write(`${url} answered ${statusCode}\n`)
    return alive ? exitCodes.ok : exitCodes.failure
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    context.stderr.write(`${url} ${timedOut ? `did not answer within ${limitMs} ms` : `cannot be reached (${errorCode(error)})`}\n`)
    return exitCodes.failure
  } finally {
    await dispatcher.destroy()
  }
}
