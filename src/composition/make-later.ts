import type { Logger } from 'pino'
import { backoffMs, type RetryPolicy } from '../delivery/retry-policy.js'
import { pause } from '../delivery/within.js'
import type { ConfiguredForwarder } from '../forwarders/registry.js'

export interface MakeLaterOptions {
  readonly name: string
  readonly make: () => Promise<ConfiguredForwarder>
  /** How long to wait before the first attempt, in milliseconds. */
  readonly delayMs: number
  readonly retry: RetryPolicy
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Called after each failed attempt. */
  readonly onFailure: () => void
}

/** Makes a forwarder after a delay, and tries again with a backoff while it cannot be made. Resolves with `undefined` if `signal` aborts before. */
export async function makeLater ({ name, make, delayMs, retry, logger, signal, onFailure }: MakeLaterOptions): Promise<ConfiguredForwarder | undefined> {
  await pause(delayMs, signal)
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await make()
    } catch (error) {
      const retryInMs = backoffMs(attempt, retry, Math.random())
      logger.error({ forwarder: name, err: error, attempt, retryInMs: Math.round(retryInMs) }, 'forwarder cannot start')
      onFailure()
      await pause(retryInMs, signal)
    }
  }
  return undefined
}
