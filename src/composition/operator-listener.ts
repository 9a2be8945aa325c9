import type { Logger } from 'pino'
import { allTokens } from '../config/decode-token.js'
import type { Settings } from '../config/settings.js'
import type { App } from '../http/app.js'
import { listenAddress } from '../http/listener.js'

/** The operator's listener cannot listen. The cause says why. */
export class OperatorListenerError extends Error {
  override readonly name = 'OperatorListenerError'
}

export interface OperatorListenerOptions {
  readonly settings: Settings
  readonly port: number
  readonly logger: Logger
}

/**
 * Starts the operator's listener and returns its URL.
 * @throws {OperatorListenerError}
 */
export async function listenForOperator (app: App, { settings, port, logger }: OperatorListenerOptions): Promise<string> {
  try {
    const url = await app.listen({ host: await listenAddress(settings.ADMIN_HOST), port, listenTextResolver: (address) => `operator's http server listens at ${address}` })
    logger.info({ url, token: allTokens(settings).length > 0 }, 'operator\'s listener listening')
    return url
  } catch (error) {
    throw new OperatorListenerError('The operator\'s listener cannot listen', { cause: error })
  }
}
