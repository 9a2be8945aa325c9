import type { Logger } from 'pino'
import type { Forwarder, StartContext } from './forwarder.js'
import { backoffMs, type RetryPolicy } from './retry-policy.js'
import { within } from './within.js'

export interface StartForwarderOptions {
  readonly forwarder: Forwarder
  readonly context: StartContext | undefined
  readonly retry: RetryPolicy
  readonly random: () => number
  readonly logger: Logger
  /** Called when the forwarder has started. */
  readonly onStarted: () => void
  readonly onDefect: (error: unknown) => void
}

export interface ForwarderStart {
  /** Resolves when the forwarder has started, its first try has failed, or its time is over. Never rejects. */
  readonly begin: (position: string | null) => Promise<void>
  /** Stops trying. */
  readonly end: () => void
}

/**
 * Starts a forwarder. A forwarder that cannot start is treated like one that cannot forward: its start is tried again, and other forwarders do
 * not notice.
 */
export function createForwarderStart ({ forwarder, context, retry, random, logger, onStarted, onDefect }: StartForwarderOptions): ForwarderStart {
  let timer: NodeJS.Timeout | undefined
  let ended = false

  async function attemptStart (position: string | null, attempt: number): Promise<void> {
    try {
      await forwarder.start?.(position, context)
    } catch (error) {
      const retryInMs = backoffMs(attempt, retry, random())
      logger.error({ err: error, attempt, retryInMs: Math.round(retryInMs) }, 'forwarder cannot start')
      startAfter(retryInMs, position, attempt + 1)
      return
    }
    onStarted()
  }

  function startAfter (ms: number, position: string | null, attempt: number): void {
    if (!ended) timer = setTimeout(() => { startInTime(position, attempt).catch(onDefect) }, ms)
  }

  /**
   * Waits for one try, for the forwarder's timeout at most, because a try that hangs must not block the service's start. A hanging try cannot be
   * repeated, so an operator must be told.
   */
  async function startInTime (position: string | null, attempt: number): Promise<void> {
    const inTime = await within(forwarder.timeoutMs, attemptStart(position, attempt).then(() => true))
    if (inTime !== true && !ended) logger.error({ err: new Error(`It has not started within ${forwarder.timeoutMs} ms. tierhook keeps waiting for it`), attempt }, 'forwarder cannot start')
  }

  return {
    begin: async (position) => { await startInTime(position, 1) },
    end () {
      ended = true
      clearTimeout(timer)
    }
  }
}
